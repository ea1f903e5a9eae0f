//go:build linux || darwin || freebsd

package caldav

import "golang.org/x/sys/unix"

// DiskSpace gives what Options.Free asks for: the bytes that the file system
// of a folder still takes from an ordinary user; false where it does not say.
func DiskSpace(dir string) func() (int64, bool) {
	return func() (int64, bool) {
		var s unix.Statfs_t
		if err := unix.Statfs(dir, &s); err != nil {
			return 0, false
		}
		return int64(s.Bavail) * int64(s.Bsize), true //nolint:unconvert // the types differ between systems
	}
}
