package share

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// theOther is set in the environment of a test's other process, to the directory in which it counts.
const theOther = "PYAGENT_TEST_COUNTS_IN"

func TestMain(m *testing.M) {
	if directory := os.Getenv(theOther); directory != "" {
		countForEver(directory)
	}
	os.Exit(m.Run())
}

// countForEver says after each change what the number is at least.
func countForEver(directory string) {
	store, _ := Open(directory, rand.Float64)
	for {
		number := ""
		err := store.Update(context.Background(), "number", func(now time.Time, old []byte) ([]byte, time.Duration) {
			replaced, keep := count(now, bytes.TrimRight(old, " "))
			number = string(replaced)
			return append(replaced, bytes.Repeat([]byte(" "), 3000)...), keep
		})
		if err != nil {
			os.Exit(3)
		}
		_, _ = os.Stdout.WriteString(number + "\n")
	}
}

func openFiles(t *testing.T, directory string) *files {
	t.Helper()
	store, err := Open(directory, rand.Float64)
	if err != nil {
		t.Fatal(err)
	}
	return store.(*files)
}

func TestFiles(t *testing.T) {
	directory := filepath.Join(t.TempDir(), "made", "for it")
	holdsUp(t, func() Store { return openFiles(t, directory) })
	info, err := os.Stat(filepath.Join(directory, "number.account"))
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v %v", info, err)
	}
}

// A process that is killed while it changes a record leaves one that is whole, and the file free.
func TestFilesOfTheKilled(t *testing.T) {
	directory := t.TempDir()
	store := openFiles(t, directory)
	last := 0
	for round := range 10 {
		other := exec.Command(os.Args[0])
		other.Env = append(os.Environ(), theOther+"="+directory)
		said, err := other.StdoutPipe()
		if err == nil {
			err = other.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		lines, before := bufio.NewScanner(said), last
		for lines.Scan() {
			if last, _ = strconv.Atoi(lines.Text()); last > before+20*(round+1) {
				_ = other.Process.Kill() // somewhere in the next change; what it has said before is read on
			}
		}
		if err := other.Wait(); err == nil || strings.Contains(err.Error(), "exit status") {
			t.Fatalf("the other one ended by itself: %v", err)
		}
		got, err := strconv.Atoi(strings.TrimRight(read(t, store, "number"), " "))
		if err != nil || got < last || got > last+1 {
			t.Fatalf("it said %d, the record says %d (%v)", last, got, err)
		}
		last = got
	}
}

// A slot that is cut or spoilt anywhere leaves the other one; without any the record is a new one.
func TestFilesSpoilt(t *testing.T) {
	store := openFiles(t, t.TempDir())
	for range 2 {
		if err := store.Update(t.Context(), "number", count); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(store.directory, "number.account")
	whole, err := os.ReadFile(path)
	if err != nil || len(whole) != slotBytes+slotHeader+1 { // the first change is in the second slot
		t.Fatalf("%d bytes, %v", len(whole), err)
	}
	put := func(data []byte) string {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return read(t, store, "number")
	}
	for place := range slotHeader + 1 { // of the newer one
		for _, bit := range []byte{1, 128} {
			spoilt := bytes.Clone(whole)
			spoilt[place] ^= bit
			if got := put(spoilt); got != "1" {
				t.Errorf("with byte %d spoilt it reads %q", place, got)
			}
		}
	}
	for _, length := range []int{0, 1, slotHeader, slotHeader + 1, slotBytes, slotBytes + slotHeader} {
		want := "2"
		if length <= slotHeader {
			want = ""
		}
		if got := put(whole[:length]); got != want {
			t.Errorf("cut to %d bytes it reads %q", length, got)
		}
	}
	put([]byte("something else entirely, which is no record of anybody's"))
	if err := store.Update(t.Context(), "number", count); err != nil || read(t, store, "number") != "1" {
		t.Errorf("it was not begun anew: %v", err)
	}
}

func TestFilesThatCannotBe(t *testing.T) {
	short := func() context.Context {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("that was enough"))
		t.Cleanup(cancel)
		return ctx
	}
	store := openFiles(t, t.TempDir())
	holder, err := store.take(t.Context(), filepath.Join(store.directory, "number.account"))
	if err != nil {
		t.Fatal(err)
	}
	err = store.Update(short(), "number", count)
	if !errors.Is(err, errBusy) || !strings.Contains(err.Error(), "that was enough") {
		t.Errorf("one that another has: %v", err)
	}
	giveBack(holder)
	if err := store.Update(t.Context(), "number", count); err != nil {
		t.Errorf("and then: %v", err)
	}
	blocked := filepath.Join(store.directory, "number.account", "below a file")
	if err := openFiles(t, blocked).Update(t.Context(), "number", count); !errors.As(err, new(*os.PathError)) {
		t.Errorf("below a file: %v", err)
	}
	if err := os.Symlink(filepath.Join(store.directory, "elsewhere"), filepath.Join(store.directory, "link.account")); err == nil {
		if err := store.Update(t.Context(), "link", count); err == nil {
			t.Error("it followed a link")
		}
	}
}

// Whatever a file holds, a record is read from it or none, and the next one that is written is the one that is read.
func FuzzFiles(f *testing.F) {
	f.Add(uint64(1), uint64(2), []byte("one"), []byte("two"), 0, byte(0))
	f.Add(uint64(math.MaxUint64), uint64(math.MaxInt64), []byte(""), []byte("x"), 30, byte(1))
	f.Fuzz(func(t *testing.T, one, two uint64, first, second []byte, place int, flip byte) {
		content := make([]byte, slotBytes, slotBytes+100)
		copy(content, makeSlot(one, first))
		content = append(content, makeSlot(two, second)...)
		if place >= 0 && place < len(content) {
			content[place] ^= flip
		}
		sequence, _, err := readRecord(bytes.NewReader(content))
		if err != nil || sequence > math.MaxInt64 {
			t.Fatal(sequence, err)
		}
		slot := makeSlot(sequence+1, []byte("new"))
		place = int((sequence + 1) % 2 * slotBytes)
		if missing := place + len(slot) - len(content); missing > 0 {
			content = append(content, make([]byte, missing)...)
		}
		copy(content[place:], slot)
		if again, record, err := readRecord(bytes.NewReader(content)); sequence < math.MaxInt64 && (again != sequence+1 || string(record) != "new" || err != nil) {
			t.Fatalf("%d %q %v", again, record, err)
		}
	})
}
