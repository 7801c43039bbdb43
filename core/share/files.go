package share

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"
)

// files is a directory with a file for each record. Whoever changes one has it alone, which ends with the process if not before.
//
// A file has two slots, each with a number, a length and a checksum. A record is written into the slot of the older one: when
// the writer dies in the middle of it, the other one is there as it was. Nothing is forced to the disk, because after a failure
// of the machine nobody misses the account of a minute.
type files struct {
	directory string
	chance    func() float64
}

const (
	slotBytes  = 64 << 10
	slotHeader = 24
)

// magic begins a slot. Another form of slots or records has another one.
var magic = [8]byte{'p', 'y', 'a', 'g', 'e', 'n', 't', '1'}

// errBusy says that another process has the file.
var errBusy = errors.New("another program has the file")

func (f *files) String() string { return f.directory }

// Update is part of Store.
func (f *files) Update(ctx context.Context, name string, change Change) error {
	file, err := f.take(ctx, filepath.Join(f.directory, name+".account"))
	if err != nil {
		return err
	}
	defer giveBack(file)
	sequence, old, err := readRecord(file)
	if err != nil {
		return err
	}
	replaced, _ := change(time.Now(), old)
	if bytes.Equal(replaced, old) {
		return nil
	}
	if len(replaced) > mostBytes {
		return errLong
	}
	sequence++
	_, err = file.WriteAt(makeSlot(sequence, replaced), int64(sequence%2)*slotBytes)
	return err
}

// take opens a file for this process alone.
func (f *files) take(ctx context.Context, path string) (*os.File, error) {
	pause := pauses{chance: f.chance}
	for {
		file, err := openAlone(path)
		switch {
		case err == nil:
			return file, nil
		case errors.Is(err, os.ErrNotExist):
			if err := os.MkdirAll(f.directory, 0o700); err != nil {
				return nil, err
			}
		case !errors.Is(err, errBusy):
			return nil, err
		}
		if !pause.wait(ctx) {
			return nil, fmt.Errorf("%w: %w", err, context.Cause(ctx))
		}
	}
}

// readRecord finds the newest record that is whole; the file of a new one, or one that is spoilt, has none.
func readRecord(file io.ReaderAt) (sequence uint64, record []byte, err error) {
	for number := range int64(2) {
		found, data, err := readSlot(io.NewSectionReader(file, number*slotBytes, slotBytes))
		if err != nil {
			return 0, nil, err
		}
		if data != nil && found%2 == uint64(number) && found >= sequence {
			sequence, record = found, data
		}
	}
	return sequence, record, nil
}

// readSlot gives nil for a slot that is not whole.
func readSlot(slot io.Reader) (sequence uint64, record []byte, err error) {
	var header [slotHeader]byte
	if _, err := io.ReadFull(slot, header[:]); err != nil {
		return 0, nil, unlessShort(err)
	}
	sequence = binary.LittleEndian.Uint64(header[8:])
	length := binary.LittleEndian.Uint32(header[16:])
	if [8]byte(header[:]) != magic || length > mostBytes || sequence > math.MaxInt64 {
		return 0, nil, nil
	}
	record = make([]byte, length)
	if _, err := io.ReadFull(slot, record); err != nil {
		return 0, nil, unlessShort(err)
	}
	if checksum(header[8:20], record) != binary.LittleEndian.Uint32(header[20:]) {
		return 0, nil, nil
	}
	return sequence, record, nil
}

func unlessShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

func makeSlot(sequence uint64, record []byte) []byte {
	slot := binary.LittleEndian.AppendUint64(magic[:len(magic):len(magic)], sequence)
	slot = binary.LittleEndian.AppendUint32(slot, uint32(len(record)))
	slot = binary.LittleEndian.AppendUint32(slot, checksum(slot[8:20], record))
	return append(slot, record...)
}

func checksum(header, record []byte) uint32 {
	return crc32.Update(crc32.ChecksumIEEE(header), crc32.IEEETable, record)
}
