package share

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestOpen(t *testing.T) {
	for address, want := range map[string]string{
		"/var/tmp/limits/":                  "/var/tmp/limits",
		"redis://localhost":                 "redis://localhost:6379/0",
		"redis://u:secret@10.0.0.1:7000/12": "redis://10.0.0.1:7000/12",
		"rediss://:secret@[::1]/3":          "redis://[::1]:6379/3",
		"limits":                            "error: must be the absolute path",
		"":                                  "error: must be the absolute path",
		"http://u:secret@localhost":         `error: has the scheme "http"`,
		"redis://u:secret@:bad port/0":      "error: is no URL",
		"redis://":                          "error: must be redis://host",
		"redis://host/one":                  `error: has the database "one"`,
		"redis://host/-1":                   `error: has the database "-1"`,
		"redis://u:secret@host/0?x=1":       "error: must be redis://host",
	} {
		store, err := Open(address, rand.Float64)
		got := fmt.Sprint("error: ", err)
		if err == nil {
			got = store.String()
		}
		if !strings.HasPrefix(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%q: %s, wanted %s", address, got, want)
		}
	}
}

// count adds one to the number in a record.
func count(_ time.Time, old []byte) ([]byte, time.Duration) {
	number, _ := strconv.Atoi(string(old))
	return strconv.AppendInt(nil, int64(number+1), 10), time.Minute
}

// read says what a record holds.
func read(t *testing.T, store Store, name string) (record string) {
	t.Helper()
	if err := store.Update(t.Context(), name, func(_ time.Time, old []byte) ([]byte, time.Duration) {
		record = string(old)
		return old, time.Minute
	}); err != nil {
		t.Fatal(err)
	}
	return record
}

// holdsUp is what every store is held to; open opens another one of the same records.
func holdsUp(t *testing.T, open func() Store) {
	ctx := t.Context()
	var wait sync.WaitGroup
	for range 5 {
		store := open()
		for range 2 {
			wait.Go(func() {
				for range 20 {
					if err := store.Update(ctx, "number", count); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wait.Wait()
	store := open()
	if got := read(t, store, "number"); got != "200" {
		t.Errorf("200 changes made %s", got)
	}
	if got := read(t, store, "another"); got != "" {
		t.Errorf("another one holds %q", got)
	}
	var told time.Time
	long := strings.Repeat("x", mostBytes)
	for _, record := range []string{long, "", "\r\n\x00", long} {
		err := store.Update(ctx, "odd", func(now time.Time, _ []byte) ([]byte, time.Duration) {
			told = now
			return []byte(record), time.Minute
		})
		if got := read(t, store, "odd"); err != nil || got != record {
			t.Errorf("a record of %d bytes: %v, %d bytes", len(record), err, len(got))
		}
	}
	if off := time.Since(told); off < -time.Minute || off > time.Minute {
		t.Errorf("the store's time is %v", told)
	}
	err := store.Update(ctx, "odd", func(time.Time, []byte) ([]byte, time.Duration) { return []byte(long + "x"), time.Minute })
	if !errors.Is(err, errLong) || read(t, store, "odd") != long {
		t.Errorf("a record that is too long: %v", err)
	}
	ended, end := context.WithCancelCause(ctx)
	end(errors.New("gone home"))
	if err := store.Update(ended, "odd", count); err != nil && !strings.Contains(err.Error(), "gone home") {
		t.Errorf("after the end: %v", err)
	}
	if got := read(t, store, "number"); got != "200" {
		t.Errorf("afterwards it is %s", got)
	}
}
