// Package configs is the daemon's configuration: one flat Config, filled from
// its defaults, a YAML file, the environment and flags, in that order. It
// knows what each option is called, what it may be and where its value came
// from; it knows nothing of what the options do. Only the command reads it;
// every other package is given values.
//
// To add an option, add a field: its tags make the key, the environment
// variable, the flag, the checks, the example file and the reference page.
package configs

import "time"

// Config holds every option. The tags of a field are
//
//	key      the name in the file; DAYBOOK_KEY in the environment, --key (with dashes) as a flag
//	default  the default, as it would be written in the file
//	doc      what it does, in one or two sentences
//	allowed  the words that are accepted, if there are few
//	check    the name of a further check: address, url, networks, schedule
//	min, max bounds of numbers, sizes and durations
//	secret   "true" when the value is never printed and may come from a file (DAYBOOK_KEY_FILE)
//	group    begins a section of the reference
type Config struct {
	Data        string `group:"Where" key:"data" default:"./daybook-data" check:"filled" doc:"Folder of the database, the admin socket and the lock file. It is made with mode 0700 when it is missing."`
	AdminSocket string `key:"admin_socket" default:"" doc:"Path of the unix socket through which commands reach the running daemon. Empty: admin.sock in the data folder. Set it when the data folder's path is longer than a socket's may be (about 100 bytes)."`

	Listen     string `group:"Network" key:"listen" default:"127.0.0.1:8080" check:"address" doc:"Address to listen on, host:port. Port 0 takes a free one; an empty host is every interface."`
	PublicURL  string `key:"public_url" default:"" check:"url" doc:"Address of the daemon as clients see it, for links that are printed or served. Empty: taken from the listen address and the request."`
	TrustProxy string `key:"trust_proxy" default:"" check:"networks" doc:"Networks of reverse proxies, as a list of CIDR ranges or addresses, whose X-Forwarded-For is believed."`
	TLSCert    string `key:"tls_cert" default:"" doc:"File of the certificate chain (PEM). With tls_key it makes the daemon speak HTTPS."`
	TLSKey     string `key:"tls_key" default:"" doc:"File of the certificate's key (PEM)."`
	H2C        bool   `key:"h2c" default:"true" doc:"Speak HTTP/2 without TLS to clients that begin with it, such as a reverse proxy."`
	Realm      string `key:"realm" default:"Daybook" check:"realm" doc:"Name that clients show when they ask for a password."`

	ReadHeaderTimeout time.Duration `group:"Timeouts" key:"read_header_timeout" default:"10s" min:"1s" max:"10m" doc:"Time that a client has to send a request's header."`
	ReadTimeout       time.Duration `key:"read_timeout" default:"5m" min:"1s" max:"1d" doc:"Time that a client has to send a whole request."`
	WriteTimeout      time.Duration `key:"write_timeout" default:"5m" min:"1s" max:"1d" doc:"Time from the end of a request's header to the end of the answer."`
	RESTTimeout       time.Duration `key:"rest_timeout" default:"30s" min:"1s" max:"1h" doc:"Time that a REST request or the making of a feed may take."`
	IdleTimeout       time.Duration `key:"idle_timeout" default:"2m" min:"1s" max:"1d" doc:"Time that an unused connection is kept."`
	ShutdownTimeout   time.Duration `key:"shutdown_timeout" default:"20s" min:"0s" max:"1h" doc:"Time that requests and jobs have to finish after the first signal."`

	DisableAPIs string `group:"APIs" key:"disable_apis" default:"" check:"apis" doc:"REST APIs that are not served, as a list."`

	MaxHeader       Size `group:"Limits" key:"max_header" default:"64KiB" min:"4KiB" max:"16MiB" doc:"Largest header of a request."`
	MaxBody         Size `key:"max_body" default:"16MiB" min:"4KiB" max:"1GiB" doc:"Largest body of a request."`
	MaxRESTBody     Size `key:"max_rest_body" default:"1MiB" min:"1KiB" max:"1GiB" doc:"Largest body of a REST request."`
	MaxObject       Size `key:"max_object" default:"10MiB" min:"1KiB" max:"512MiB" doc:"Largest calendar object resource, in any way in (CalDAV's max-resource-size)."`
	MaxLine         Size `key:"max_line" default:"1MiB" min:"1KiB" max:"64MiB" doc:"Longest unfolded content line of a calendar object resource."`
	MaxLines        int  `key:"max_lines" default:"200000" min:"100" max:"20000000" doc:"Most content lines of a calendar object resource."`
	MaxComponents   int  `key:"max_components" default:"20000" min:"1" max:"2000000" doc:"Most components (master, overrides, alarms, time zones) of a calendar object resource."`
	MaxInstances    int  `key:"max_instances" default:"100000" min:"100" max:"1000000" doc:"Most instances of a recurring event that ends, by CalDAV (its max-instances)."`
	MaxXMLDepth     int  `key:"max_xml_depth" default:"48" min:"8" max:"1000" doc:"Deepest nesting of an XML request body."`
	MaxXMLElements  int  `key:"max_xml_elements" default:"100000" min:"100" max:"10000000" doc:"Most elements of an XML request body; a multiget names one for each object."`
	MaxMembers      int  `key:"max_members" default:"1000000" min:"100" max:"100000000" doc:"Most calendar object resources of one calendar."`
	MaxImport       Size `key:"max_import" default:"512MiB" min:"1KiB" max:"16GiB" doc:"Largest file of one import."`
	MaxImportEvents int  `key:"max_import_events" default:"1000000" min:"1" max:"100000000" doc:"Most calendar object resources of one import."`
	MaxStreams      int  `key:"max_streams" default:"512" min:"1" max:"100000" doc:"Most open streams of changes (/v1/events)."`
	MaxStreamsEach  int  `key:"max_streams_each" default:"16" min:"1" max:"100000" doc:"Most open streams of changes of one credential."`
	LoginAttempts   int  `key:"login_attempts" default:"100" min:"1" max:"100000" doc:"Failed sign-ins from one address after which further ones are slowed down; accounts are never locked."`

	FetchAllow   string        `group:"Fetching" key:"fetch_allow" default:"" check:"networks" doc:"Networks that remotes and webhooks may reach although they are not public, as a list of CIDR ranges or addresses: loopback, private, link-local and reserved ones are refused otherwise."`
	FetchPorts   string        `key:"fetch_ports" default:"80, 443, 1024-65535" check:"ports" doc:"Ports that remotes and webhooks may name."`
	FetchTimeout time.Duration `key:"fetch_timeout" default:"1m" min:"1s" max:"1h" doc:"Time of one fetch, with its redirects and the reading of the answer."`
	PullFloor    time.Duration `key:"pull_floor" default:"5m" min:"1m" max:"30d" doc:"Least time between two pulls of a remote, whatever it or its source asks for."`
	PullsAtOnce  int           `key:"pulls_at_once" default:"4" min:"1" max:"100" doc:"Remotes that are pulled at the same time."`
	MaxFetch     Size          `key:"max_fetch" default:"32MiB" min:"1KiB" max:"1GiB" doc:"Largest answer to a fetch, as sent and decompressed."`

	WebhookAttempts int           `group:"Webhooks" key:"webhook_attempts" default:"10" min:"1" max:"100" doc:"Attempts after which a delivery is a dead letter. They are made after 5 seconds, then four times later each time, at most 2 hours apart."`
	WebhookGiveUp   time.Duration `key:"webhook_give_up" default:"5d" min:"1m" max:"365d" doc:"Time of failing without a break after which a webhook is disabled."`
	WebhookTimeout  time.Duration `key:"webhook_timeout" default:"15s" min:"1s" max:"5m" doc:"Time that a receiver has to take a delivery."`

	Horizon       time.Duration `group:"Calendars" key:"horizon" default:"400d" min:"30d" max:"36500d" doc:"How far ahead instances of recurring events are computed and indexed."`
	TombstoneAge  time.Duration `key:"tombstone_age" default:"180d" min:"1d" max:"36500d" doc:"How long deletions are remembered for clients that synchronise; a client that was away for longer reads the whole calendar again."`
	JournalAge    time.Duration `key:"journal_age" default:"90d" min:"1d" max:"36500d" doc:"How long the journal tells who changed what. A reader of changes, or a webhook, that was away for longer is told to begin anew."`
	FeedCancelled time.Duration `key:"feed_cancelled" default:"7d" min:"0s" max:"365d" doc:"How long feeds show what was removed as cancelled. 0s: not at all."`
	FeedCache     Size          `key:"feed_cache" default:"32MiB" min:"1MiB" max:"16GiB" doc:"Memory for rendered feeds. What does not fit, or was not asked for in ten minutes, is made anew when somebody comes."`

	JobHorizon    string        `group:"Jobs" key:"job_horizon" default:"17 3 * * *" check:"schedule" doc:"When the horizon is moved forward. A cron line of five fields, or @hourly, @daily, @every 10m; times are UTC."`
	JobOpenings   string        `key:"job_openings" default:"*/5 * * * *" check:"schedule" doc:"When openings are computed again that no longer stand for their calendars."`
	JobPrune      string        `key:"job_prune" default:"41 4 * * *" check:"schedule" doc:"When old deletions, old entries of the journal, and expired credentials and feeds are dropped."`
	JobPull       string        `key:"job_pull" default:"* * * * *" check:"schedule" doc:"When it is looked which remotes are due. How often each is pulled is its own interval."`
	JobTimeout    time.Duration `key:"job_timeout" default:"30m" min:"1s" max:"7d" doc:"Time after which a job's run is ended."`
	OpeningsAhead time.Duration `key:"openings_ahead" default:"60d" min:"1d" max:"1000d" doc:"How far ahead openings are kept computed."`

	LogLevel  string `group:"Logs" key:"log_level" default:"info" allowed:"debug,info,warn,error" doc:"Least level that is logged."`
	LogFormat string `key:"log_format" default:"text" allowed:"text,json" doc:"Form of the log on standard error."`
	AccessLog bool   `key:"access_log" default:"false" doc:"Log each request at level info; otherwise at level debug."`

	Metrics       string `group:"Metrics" key:"metrics" default:"auto" allowed:"auto,main,off" doc:"Where /metrics is served when it has no listener of its own. auto: on the main listener if that is a loopback address and neither trust_proxy nor public_url is set; main: there in any case; off: nowhere."`
	MetricsListen string `key:"metrics_listen" default:"" check:"address" doc:"Address of a listener of its own for /metrics, /livez and /readyz."`
	MetricsToken  string `key:"metrics_token" default:"" secret:"true" doc:"When set, /metrics asks for it: Authorization: Bearer TOKEN."`

	AdminPassword string `group:"First start" key:"admin_password" default:"" secret:"true" doc:"Password of the administrator who is created with an empty store. Empty: a random one, printed once."`
	Zone          string `key:"zone" default:"" check:"zone" doc:"IANA time zone of the organisation that is created with an empty store. Empty: the system's."`
}
