package calm

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Service is the process of a Windows service.
type Service string

// Lower implements Process.
func (s Service) Lower() (restore func() error, err error) {
	pid, err := s.process()
	if err != nil {
		return nil, fmt.Errorf("process of the service %s: %w", string(s), err)
	}
	return lowerProcess(pid)
}

// process is the service's process, if it has one of its own.
func (s Service) process() (pid uint32, err error) {
	manager, err := windows.OpenSCManager(nil, nil, windows.SC_MANAGER_CONNECT|windows.SC_MANAGER_ENUMERATE_SERVICE)
	if err != nil {
		return 0, err
	}
	defer func() { _ = windows.CloseServiceHandle(manager) }() // only fails for what is no handle
	name, err := windows.UTF16PtrFromString(string(s))
	if err != nil {
		return 0, err
	}
	h, err := windows.OpenService(manager, name, windows.SERVICE_QUERY_STATUS)
	if err != nil {
		return 0, err
	}
	defer func() { _ = windows.CloseServiceHandle(h) }()
	var status windows.SERVICE_STATUS_PROCESS
	var need uint32
	err = windows.QueryServiceStatusEx(h, windows.SC_STATUS_PROCESS_INFO, (*byte)(unsafe.Pointer(&status)), uint32(unsafe.Sizeof(status)), &need)
	if err != nil {
		return 0, err
	}
	if status.ProcessId == 0 {
		return 0, errNotNow
	}
	n, err := servicesIn(manager, status.ProcessId)
	if err == nil && n != 1 {
		err = fmt.Errorf("it runs in one process with %d other services", n-1)
	}
	return status.ProcessId, err
}

// maxServices is the largest list that is asked for, in bytes; the system's
// own limit.
const maxServices = 256 << 10

// servicesIn counts the services that run in a process.
func servicesIn(manager windows.Handle, pid uint32) (n int, err error) {
	var resume uint32
	for more := true; more; {
		buf := make([]uint64, maxServices/8) // aligned for the structure
		var need, count uint32
		err := windows.EnumServicesStatusEx(manager, windows.SC_ENUM_PROCESS_INFO, windows.SERVICE_WIN32, windows.SERVICE_ACTIVE,
			(*byte)(unsafe.Pointer(&buf[0])), maxServices, &need, &count, &resume, nil)
		more = errors.Is(err, windows.ERROR_MORE_DATA) && count > 0
		if err != nil && !more {
			return 0, err
		}
		for _, s := range unsafe.Slice((*windows.ENUM_SERVICE_STATUS_PROCESS)(unsafe.Pointer(&buf[0])), count) {
			if s.ServiceStatusProcess.ProcessId == pid {
				n++
			}
		}
	}
	return n, nil
}

// ioPriorityLow is IoPriorityLow of IO_PRIORITY_HINT; normal is 2.
const (
	ioPriorityLow    = 1
	ioPriorityNormal = 2
)

// lowerProcess lowers the priority of a process for processor and disk.
func lowerProcess(pid uint32) (restore func() error, err error) {
	p, err := windows.OpenProcess(windows.PROCESS_SET_INFORMATION|windows.PROCESS_QUERY_LIMITED_INFORMATION, false, pid)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	before, err := windows.GetPriorityClass(p)
	if err == nil {
		err = windows.SetPriorityClass(p, windows.BELOW_NORMAL_PRIORITY_CLASS)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("priority of process %d: %w", pid, err), windows.CloseHandle(p))
	}
	_ = setIO(p, ioPriorityLow) // a service to the disk; without it the search is slower or faster, not wrong
	return func() error {
		_ = setIO(p, ioPriorityNormal)
		return errors.Join(windows.SetPriorityClass(p, before), windows.CloseHandle(p))
	}, nil
}

func setIO(p windows.Handle, priority uint32) error {
	return windows.NtSetInformationProcess(p, windows.ProcessIoPriority, unsafe.Pointer(&priority), uint32(unsafe.Sizeof(priority)))
}
