//go:build !linux && !darwin && !freebsd

package caldav

// DiskSpace gives what Options.Free asks for; this system is not asked.
func DiskSpace(string) func() (int64, bool) {
	return func() (int64, bool) { return 0, false }
}
