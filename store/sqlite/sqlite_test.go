package sqlite

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"waptwua/store"
	"waptwua/store/storetest"
)

func open(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), "server.db")) })
}

func TestReopenKeepsRecords(t *testing.T) {
	path := filepath.Join(t.TempDir(), "odd name #1?.db")
	db := open(t, path)
	if err := db.PutSetting(t.Context(), "a", "b"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open(t, path)
	defer db.Close()
	if v, err := db.Setting(t.Context(), "a"); err != nil || v != "b" {
		t.Fatalf("after reopening: %q, %v", v, err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	db := open(t, path)
	if _, err := db.write.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "newer program") {
		t.Fatalf("opening a newer schema: %v", err)
	}
}

func TestReadersCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "server.db")
	defer open(t, path).Close()
	ro, err := sql.Open("sqlite", dsn(path, true))
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if _, err := ro.Exec(`DELETE FROM hosts`); err == nil {
		t.Fatal("a connection of the reading pool deleted rows")
	}
}

func TestNotADatabase(t *testing.T) {
	path := t.TempDir()
	if _, err := Open(t.Context(), path); err == nil {
		t.Fatal("opening a folder as a database succeeded")
	}
}
