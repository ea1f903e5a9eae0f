//go:build unix

package admin

import (
	"net"

	"golang.org/x/sys/unix"
)

// listenPrivate makes the socket so that at no moment anybody else can open
// it, also in a folder that others may enter. The mask is the process's: it
// is called before the daemon does anything else with files.
func listenPrivate(path string) (net.Listener, error) {
	old := unix.Umask(0o177)
	defer unix.Umask(old)
	return net.Listen("unix", path)
}
