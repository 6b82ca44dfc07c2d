package winhost

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"waptwua"
	"waptwua/applicability"
)

var shGetFolderPath = windows.NewLazySystemDLL("shell32.dll").NewProc("SHGetFolderPathW")

type files struct{}

// Folder implements inventory.Files.
func (files) Folder(_ context.Context, csidl int) (string, error) {
	if err := checkFolder(csidl); err != nil {
		return "", err
	}
	var path [windows.MAX_PATH]uint16
	hr, err := call(shGetFolderPath, 0, uintptr(csidl), 0, 0, uintptr(unsafe.Pointer(&path[0])))
	switch {
	case err != nil:
		return "", err
	case uint32(hr) == uint32(windows.S_FALSE):
		return "", fmt.Errorf("folder %d: %w", csidl, waptwua.ErrNotFound)
	case uint32(hr) != 0:
		return "", fmt.Errorf("SHGetFolderPath %d: %w", csidl, syscall.Errno(uint32(hr)))
	}
	return windows.UTF16ToString(path[:]), nil
}

// File implements inventory.Files.
func (files) File(_ context.Context, path string) (*applicability.FileInfo, error) {
	if err := checkDrive(path); err != nil {
		return nil, err
	}
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, absent(err, fs.ErrNotExist)
	case err != nil:
		return nil, err
	case fi.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	}
	size, modified := fi.Size(), fi.ModTime().UTC()
	info := &applicability.FileInfo{Size: &size, Modified: &modified}
	if d, ok := fi.Sys().(*syscall.Win32FileAttributeData); ok {
		created := time.Unix(0, d.CreationTime.Nanoseconds()).UTC()
		info.Created = &created
	}
	info.Version, info.Language = version(path)
	return info, nil
}

// checkDrive refuses files that are not on a drive of this computer.
func checkDrive(path string) error {
	if err := checkFile(path); err != nil {
		return err
	}
	root, err := windows.UTF16PtrFromString(path[:3])
	if err != nil {
		return err
	}
	switch windows.GetDriveType(root) {
	case windows.DRIVE_NO_ROOT_DIR:
		return fmt.Errorf("drive %s: %w", path[:2], waptwua.ErrNotFound)
	case windows.DRIVE_REMOTE:
		return fmt.Errorf("%s %w", path, errRemote)
	}
	return nil
}

// maxVersionResource bounds a version resource; they have a few kilobytes.
const maxVersionResource = 1 << 20

// version reads the version resource: "" is the version of a file that has
// none, nil is not known.
func version(path string) (version *string, language *int) {
	size, err := windows.GetFileVersionInfoSize(path, nil)
	if err != nil || size == 0 || size > maxVersionResource {
		return noVersion(err), nil
	}
	block := make([]byte, size)
	if err := windows.GetFileVersionInfo(path, 0, size, unsafe.Pointer(&block[0])); err != nil {
		return noVersion(err), nil
	}
	return fixedVersion(block), translation(block)
}

// noVersion tells a file without version resource from one whose resource
// could not be read.
func noVersion(err error) *string {
	for _, e := range []error{
		windows.ERROR_RESOURCE_DATA_NOT_FOUND, windows.ERROR_RESOURCE_TYPE_NOT_FOUND,
		windows.ERROR_RESOURCE_NAME_NOT_FOUND, windows.ERROR_BAD_EXE_FORMAT,
	} {
		if errors.Is(err, e) {
			return new(string)
		}
	}
	return nil
}

func fixedVersion(block []byte) *string {
	var info *windows.VS_FIXEDFILEINFO
	var size uint32
	err := windows.VerQueryValue(unsafe.Pointer(&block[0]), `\`, unsafe.Pointer(&info), &size)
	if err != nil || info == nil || uintptr(size) < unsafe.Sizeof(*info) {
		return new(string)
	}
	ms, ls := info.FileVersionMS, info.FileVersionLS
	s := fmt.Sprintf("%d.%d.%d.%d", ms>>16, ms&0xffff, ls>>16, ls&0xffff)
	return &s
}

// translation is the first language of the resource.
func translation(block []byte) *int {
	var first *uint16
	var size uint32
	err := windows.VerQueryValue(unsafe.Pointer(&block[0]), `\VarFileInfo\Translation`, unsafe.Pointer(&first), &size)
	if err != nil || first == nil || size < 2 {
		return nil
	}
	language := int(*first)
	return &language
}
