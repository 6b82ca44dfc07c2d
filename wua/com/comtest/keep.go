package comtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// kept is what a double remembers of its own over processes.
type kept struct {
	Added    int           `json:"added"`
	Services []keptService `json:"services"`
}

type keptService struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Path string `json:"path"`
}

// Keep makes scan package services outlive the process, as WUA's do: they
// are read from the file at path, and written there whenever one comes or goes.
func (d *Double) Keep(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.keep = path
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(b, &k)
	}
	if err != nil {
		return fmt.Errorf("read the services of the double: %w", err)
	}
	d.added = k.Added
	for _, s := range k.Services {
		d.services[s.ID] = &service{id: s.ID, name: s.Name, path: s.Path}
	}
	return nil
}

// remember writes the services down; d.mu is held.
func (d *Double) remember() error {
	if d.keep == "" {
		return nil
	}
	k := kept{Added: d.added}
	for _, s := range d.services {
		k.Services = append(k.Services, keptService{ID: s.id, Name: s.name, Path: s.path})
	}
	b, err := json.Marshal(k)
	if err == nil {
		err = os.WriteFile(d.keep, b, 0o600)
	}
	return err
}
