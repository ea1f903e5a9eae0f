//go:build !unix

package admin

import "net"

// listenPrivate relies on the data folder being the operator's own.
func listenPrivate(path string) (net.Listener, error) { return net.Listen("unix", path) }
