package ical

// windowsZones has the IANA zone of each Windows zone: those of CLDR's
// windowsZones for the whole world, with today's names of the zones.
const windowsZones = `Afghanistan Standard Time|Asia/Kabul
Alaskan Standard Time|America/Anchorage
Aleutian Standard Time|America/Adak
Altai Standard Time|Asia/Barnaul
Arab Standard Time|Asia/Riyadh
Arabian Standard Time|Asia/Dubai
Arabic Standard Time|Asia/Baghdad
Argentina Standard Time|America/Argentina/Buenos_Aires
Astrakhan Standard Time|Europe/Astrakhan
Atlantic Standard Time|America/Halifax
AUS Central Standard Time|Australia/Darwin
Aus Central W. Standard Time|Australia/Eucla
AUS Eastern Standard Time|Australia/Sydney
Azerbaijan Standard Time|Asia/Baku
Azores Standard Time|Atlantic/Azores
Bahia Standard Time|America/Bahia
Bangladesh Standard Time|Asia/Dhaka
Belarus Standard Time|Europe/Minsk
Bougainville Standard Time|Pacific/Bougainville
Canada Central Standard Time|America/Regina
Cape Verde Standard Time|Atlantic/Cape_Verde
Caucasus Standard Time|Asia/Yerevan
Cen. Australia Standard Time|Australia/Adelaide
Central America Standard Time|America/Guatemala
Central Asia Standard Time|Asia/Bishkek
Central Brazilian Standard Time|America/Cuiaba
Central Europe Standard Time|Europe/Budapest
Central European Standard Time|Europe/Warsaw
Central Pacific Standard Time|Pacific/Guadalcanal
Central Standard Time|America/Chicago
Central Standard Time (Mexico)|America/Mexico_City
Chatham Islands Standard Time|Pacific/Chatham
China Standard Time|Asia/Shanghai
Coordinated Universal Time|Etc/UTC
Cuba Standard Time|America/Havana
Dateline Standard Time|Etc/GMT+12
E. Africa Standard Time|Africa/Nairobi
E. Australia Standard Time|Australia/Brisbane
E. Europe Standard Time|Europe/Chisinau
E. South America Standard Time|America/Sao_Paulo
Easter Island Standard Time|Pacific/Easter
Eastern Standard Time|America/New_York
Eastern Standard Time (Mexico)|America/Cancun
Egypt Standard Time|Africa/Cairo
Ekaterinburg Standard Time|Asia/Yekaterinburg
Fiji Standard Time|Pacific/Fiji
FLE Standard Time|Europe/Kyiv
Georgian Standard Time|Asia/Tbilisi
GMT Standard Time|Europe/London
Greenland Standard Time|America/Nuuk
Greenwich Standard Time|Atlantic/Reykjavik
GTB Standard Time|Europe/Bucharest
Haiti Standard Time|America/Port-au-Prince
Hawaiian Standard Time|Pacific/Honolulu
India Standard Time|Asia/Kolkata
Iran Standard Time|Asia/Tehran
Israel Standard Time|Asia/Jerusalem
Jordan Standard Time|Asia/Amman
Kaliningrad Standard Time|Europe/Kaliningrad
Kamchatka Standard Time|Asia/Kamchatka
Korea Standard Time|Asia/Seoul
Libya Standard Time|Africa/Tripoli
Line Islands Standard Time|Pacific/Kiritimati
Lord Howe Standard Time|Australia/Lord_Howe
Magadan Standard Time|Asia/Magadan
Magallanes Standard Time|America/Punta_Arenas
Marquesas Standard Time|Pacific/Marquesas
Mauritius Standard Time|Indian/Mauritius
Mid-Atlantic Standard Time|Atlantic/South_Georgia
Middle East Standard Time|Asia/Beirut
Montevideo Standard Time|America/Montevideo
Morocco Standard Time|Africa/Casablanca
Mountain Standard Time|America/Denver
Mountain Standard Time (Mexico)|America/Mazatlan
Myanmar Standard Time|Asia/Yangon
N. Central Asia Standard Time|Asia/Novosibirsk
Namibia Standard Time|Africa/Windhoek
Nepal Standard Time|Asia/Kathmandu
New Zealand Standard Time|Pacific/Auckland
Newfoundland Standard Time|America/St_Johns
Norfolk Standard Time|Pacific/Norfolk
North Asia East Standard Time|Asia/Irkutsk
North Asia Standard Time|Asia/Krasnoyarsk
North Korea Standard Time|Asia/Pyongyang
Omsk Standard Time|Asia/Omsk
Pacific SA Standard Time|America/Santiago
Pacific Standard Time|America/Los_Angeles
Pacific Standard Time (Mexico)|America/Tijuana
Pakistan Standard Time|Asia/Karachi
Paraguay Standard Time|America/Asuncion
Qyzylorda Standard Time|Asia/Qyzylorda
Romance Standard Time|Europe/Paris
Russia Time Zone 10|Asia/Srednekolymsk
Russia Time Zone 11|Asia/Kamchatka
Russia Time Zone 3|Europe/Samara
Russian Standard Time|Europe/Moscow
SA Eastern Standard Time|America/Cayenne
SA Pacific Standard Time|America/Bogota
SA Western Standard Time|America/La_Paz
Saint Pierre Standard Time|America/Miquelon
Sakhalin Standard Time|Asia/Sakhalin
Samoa Standard Time|Pacific/Apia
Sao Tome Standard Time|Africa/Sao_Tome
Saratov Standard Time|Europe/Saratov
SE Asia Standard Time|Asia/Bangkok
Singapore Standard Time|Asia/Singapore
South Africa Standard Time|Africa/Johannesburg
South Sudan Standard Time|Africa/Juba
Sri Lanka Standard Time|Asia/Colombo
Sudan Standard Time|Africa/Khartoum
Syria Standard Time|Asia/Damascus
Taipei Standard Time|Asia/Taipei
Tasmania Standard Time|Australia/Hobart
Tocantins Standard Time|America/Araguaina
Tokyo Standard Time|Asia/Tokyo
Tomsk Standard Time|Asia/Tomsk
Tonga Standard Time|Pacific/Tongatapu
Transbaikal Standard Time|Asia/Chita
Turkey Standard Time|Europe/Istanbul
Turks And Caicos Standard Time|America/Grand_Turk
Ulaanbaatar Standard Time|Asia/Ulaanbaatar
US Eastern Standard Time|America/Indiana/Indianapolis
US Mountain Standard Time|America/Phoenix
UTC|Etc/UTC
UTC+12|Etc/GMT-12
UTC+13|Etc/GMT-13
UTC-02|Etc/GMT+2
UTC-08|Etc/GMT+8
UTC-09|Etc/GMT+9
UTC-11|Etc/GMT+11
Venezuela Standard Time|America/Caracas
Vladivostok Standard Time|Asia/Vladivostok
Volgograd Standard Time|Europe/Volgograd
W. Australia Standard Time|Australia/Perth
W. Central Africa Standard Time|Africa/Lagos
W. Europe Standard Time|Europe/Berlin
W. Mongolia Standard Time|Asia/Hovd
West Asia Standard Time|Asia/Tashkent
West Bank Standard Time|Asia/Hebron
West Pacific Standard Time|Pacific/Port_Moresby
Yakutsk Standard Time|Asia/Yakutsk
Yukon Standard Time|America/Whitehorse`

// windowsCities has the Windows zone of each sentence that Windows shows
// behind the offset.
const windowsCities = `International Date Line West|Dateline Standard Time
Coordinated Universal Time-11|UTC-11
Aleutian Islands|Aleutian Standard Time
Hawaii|Hawaiian Standard Time
Marquesas Islands|Marquesas Standard Time
Alaska|Alaskan Standard Time
Coordinated Universal Time-09|UTC-09
Baja California|Pacific Standard Time (Mexico)
Coordinated Universal Time-08|UTC-08
Pacific Time (US & Canada)|Pacific Standard Time
Arizona|US Mountain Standard Time
La Paz, Mazatlan|Mountain Standard Time (Mexico)
Chihuahua, La Paz, Mazatlan|Mountain Standard Time (Mexico)
Mountain Time (US & Canada)|Mountain Standard Time
Yukon|Yukon Standard Time
Central America|Central America Standard Time
Central Time (US & Canada)|Central Standard Time
Easter Island|Easter Island Standard Time
Guadalajara, Mexico City, Monterrey|Central Standard Time (Mexico)
Saskatchewan|Canada Central Standard Time
Bogota, Lima, Quito, Rio Branco|SA Pacific Standard Time
Chetumal|Eastern Standard Time (Mexico)
Eastern Time (US & Canada)|Eastern Standard Time
Haiti|Haiti Standard Time
Havana|Cuba Standard Time
Indiana (East)|US Eastern Standard Time
Turks and Caicos|Turks And Caicos Standard Time
Asuncion|Paraguay Standard Time
Atlantic Time (Canada)|Atlantic Standard Time
Caracas|Venezuela Standard Time
Cuiaba|Central Brazilian Standard Time
Georgetown, La Paz, Manaus, San Juan|SA Western Standard Time
Santiago|Pacific SA Standard Time
Newfoundland|Newfoundland Standard Time
Araguaina|Tocantins Standard Time
Brasilia|E. South America Standard Time
Cayenne, Fortaleza|SA Eastern Standard Time
City of Buenos Aires|Argentina Standard Time
Buenos Aires|Argentina Standard Time
Greenland|Greenland Standard Time
Montevideo|Montevideo Standard Time
Punta Arenas|Magallanes Standard Time
Saint Pierre and Miquelon|Saint Pierre Standard Time
Salvador|Bahia Standard Time
Coordinated Universal Time-02|UTC-02
Azores|Azores Standard Time
Cabo Verde Is.|Cape Verde Standard Time
Cape Verde Is.|Cape Verde Standard Time
Dublin, Edinburgh, Lisbon, London|GMT Standard Time
Greenwich Mean Time : Dublin, Edinburgh, Lisbon, London|GMT Standard Time
Monrovia, Reykjavik|Greenwich Standard Time
Sao Tome|Sao Tome Standard Time
Casablanca|Morocco Standard Time
Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna|W. Europe Standard Time
Belgrade, Bratislava, Budapest, Ljubljana, Prague|Central Europe Standard Time
Brussels, Copenhagen, Madrid, Paris|Romance Standard Time
Sarajevo, Skopje, Warsaw, Zagreb|Central European Standard Time
Sarajevo, Skopje, Sofija, Vilnius, Warsaw, Zagreb|Central European Standard Time
West Central Africa|W. Central Africa Standard Time
Amman|Jordan Standard Time
Athens, Bucharest|GTB Standard Time
Athens, Bucharest, Istanbul|GTB Standard Time
Beirut|Middle East Standard Time
Cairo|Egypt Standard Time
Chisinau|E. Europe Standard Time
Damascus|Syria Standard Time
Gaza, Hebron|West Bank Standard Time
Harare, Pretoria|South Africa Standard Time
Helsinki, Kyiv, Riga, Sofia, Tallinn, Vilnius|FLE Standard Time
Jerusalem|Israel Standard Time
Juba|South Sudan Standard Time
Kaliningrad|Kaliningrad Standard Time
Khartoum|Sudan Standard Time
Tripoli|Libya Standard Time
Windhoek|Namibia Standard Time
Baghdad|Arabic Standard Time
Istanbul|Turkey Standard Time
Kuwait, Riyadh|Arab Standard Time
Minsk|Belarus Standard Time
Moscow, St. Petersburg|Russian Standard Time
Moscow, St. Petersburg, Volgograd|Russian Standard Time
Nairobi|E. Africa Standard Time
Volgograd|Volgograd Standard Time
Tehran|Iran Standard Time
Abu Dhabi, Muscat|Arabian Standard Time
Astrakhan, Ulyanovsk|Astrakhan Standard Time
Baku|Azerbaijan Standard Time
Izhevsk, Samara|Russia Time Zone 3
Port Louis|Mauritius Standard Time
Saratov|Saratov Standard Time
Tbilisi|Georgian Standard Time
Yerevan|Caucasus Standard Time
Kabul|Afghanistan Standard Time
Ashgabat, Tashkent|West Asia Standard Time
Ekaterinburg|Ekaterinburg Standard Time
Islamabad, Karachi|Pakistan Standard Time
Qyzylorda|Qyzylorda Standard Time
Chennai, Kolkata, Mumbai, New Delhi|India Standard Time
Sri Jayawardenepura|Sri Lanka Standard Time
Kathmandu|Nepal Standard Time
Dhaka|Bangladesh Standard Time
Omsk|Omsk Standard Time
Yangon (Rangoon)|Myanmar Standard Time
Bangkok, Hanoi, Jakarta|SE Asia Standard Time
Barnaul, Gorno-Altaysk|Altai Standard Time
Hovd|W. Mongolia Standard Time
Krasnoyarsk|North Asia Standard Time
Novosibirsk|N. Central Asia Standard Time
Tomsk|Tomsk Standard Time
Beijing, Chongqing, Hong Kong, Urumqi|China Standard Time
Irkutsk|North Asia East Standard Time
Kuala Lumpur, Singapore|Singapore Standard Time
Perth|W. Australia Standard Time
Taipei|Taipei Standard Time
Ulaanbaatar|Ulaanbaatar Standard Time
Eucla|Aus Central W. Standard Time
Chita|Transbaikal Standard Time
Osaka, Sapporo, Tokyo|Tokyo Standard Time
Pyongyang|North Korea Standard Time
Seoul|Korea Standard Time
Yakutsk|Yakutsk Standard Time
Adelaide|Cen. Australia Standard Time
Darwin|AUS Central Standard Time
Brisbane|E. Australia Standard Time
Canberra, Melbourne, Sydney|AUS Eastern Standard Time
Guam, Port Moresby|West Pacific Standard Time
Hobart|Tasmania Standard Time
Vladivostok|Vladivostok Standard Time
Lord Howe Island|Lord Howe Standard Time
Bougainville Island|Bougainville Standard Time
Chokurdakh|Russia Time Zone 10
Magadan|Magadan Standard Time
Norfolk Island|Norfolk Standard Time
Sakhalin|Sakhalin Standard Time
Solomon Is., New Caledonia|Central Pacific Standard Time
Anadyr, Petropavlovsk-Kamchatsky|Russia Time Zone 11
Auckland, Wellington|New Zealand Standard Time
Coordinated Universal Time+12|UTC+12
Fiji|Fiji Standard Time
Chatham Islands|Chatham Islands Standard Time
Coordinated Universal Time+13|UTC+13
Nuku'alofa|Tonga Standard Time
Samoa|Samoa Standard Time
Kiritimati Island|Line Islands Standard Time`
