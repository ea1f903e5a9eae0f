package auth

import "daybook/api/rest"

// The ways to sign in, as a description of an API tells them.

// BearerWays is how [Bearer] signs in.
func BearerWays() [][]rest.Security {
	return [][]rest.Security{{{Name: "bearer", Type: "http", Scheme: "bearer", Doc: "A token, ID.SECRET, made with daybook token create."}}}
}

// BearerOrBasicWays is how [BearerOrBasic] signs in.
func BearerOrBasicWays() [][]rest.Security {
	return append(BearerWays(), []rest.Security{{Name: "basic", Type: "http", Scheme: "basic", Doc: "A user's name, and the password or an app password."}})
}

// SignatureWays is how [Signature] signs in.
func SignatureWays() [][]rest.Security {
	return [][]rest.Security{{
		{
			Name: "onliveSignature", Type: "apiKey", Header: "Authorization",
			Doc: "ONLIVESITE Credential:KEY, Signature=HEX. The signature is the HMAC-SHA256, by the key's secret, of method, path, sorted query, date and the SHA-256 of the body in hex, a line each.",
		},
		{Name: "onliveDate", Type: "apiKey", Header: "x-onlive-site-date", Doc: "The date that was signed, like 20270301T123000Z."},
	}}
}
