package frames_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"github.com/actorgrid/actorgrid/frames"
)

// crc32c is the checksum of SPEC.md section 4.1, a bit at a time.
func crc32c(b []byte) uint32 {
	const polynomial = 0x82f63b78 // of Castagnoli, reflected
	crc := ^uint32(0)
	for _, c := range b {
		crc ^= uint32(c)
		for range 8 {
			crc = crc>>1 ^ polynomial*(crc&1)
		}
	}
	return ^crc
}

func TestTheChecksumIsCRC32C(t *testing.T) {
	if got := crc32c([]byte("123456789")); got != 0xe3069283 { // the check value of RFC 3720's CRC
		t.Fatalf("the reference itself is wrong: %#x", got)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		batch := make([]byte, frames.ChecksumSize+n)
		for i := range batch {
			batch[i] = byte(random.Uint32())
		}
		frames.PutChecksum(batch)
		body := batch[frames.ChecksumSize:]
		sum, rest, err := msgp.ReadUint32Bytes(batch)
		if err != nil || sum != crc32c(body) || !bytes.Equal(rest, body) {
			t.Fatalf("%d bytes: msgp reads %#x and %d bytes behind, %v; want %#x", n, sum, len(rest), err, crc32c(body))
		}
		got, err := frames.CheckBatch(batch)
		if err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}

func TestEveryFlippedBitOfABatchIsFound(t *testing.T) {
	batch := sampleBatch()
	for bit := range 8 * len(batch) {
		batch[bit/8] ^= 1 << (bit % 8)
		if body, err := frames.CheckBatch(batch); err != frames.ErrChecksum || body != nil {
			t.Errorf("bit %d: %v", bit, err)
		}
		batch[bit/8] ^= 1 << (bit % 8)
	}
	if _, err := frames.CheckBatch(batch); err != nil {
		t.Error(err)
	}
}

func TestEveryBurstOf32BitsInABatchIsFound(t *testing.T) {
	batch := sampleBatch()
	random := rand.New(rand.NewPCG(3, 4))
	for i := frames.ChecksumSize; i+4 <= len(batch); i++ {
		for range 100 {
			damaged := bytes.Clone(batch)
			noise := random.Uint32() | 1
			binary.LittleEndian.PutUint32(damaged[i:], binary.LittleEndian.Uint32(damaged[i:])^noise)
			if _, err := frames.CheckBatch(damaged); err != frames.ErrChecksum {
				t.Errorf("noise %#x at byte %d: %v", noise, i, err)
			}
		}
	}
}

func TestABatchThatIsCutOrLengthenedIsRefused(t *testing.T) {
	batch := sampleBatch()
	for n := range batch {
		if _, err := frames.CheckBatch(batch[:n:n]); err != frames.ErrChecksum {
			t.Errorf("cut to %d of %d bytes: %v", n, len(batch), err)
		}
	}
	for v := range 256 {
		if _, err := frames.CheckBatch(append(batch[:len(batch):len(batch)], byte(v))); err != frames.ErrChecksum {
			t.Errorf("with %#x behind: %v", v, err)
		}
	}
}

func TestABatchWithoutFramesIsOne(t *testing.T) {
	batch := batchOf()
	if body, err := frames.CheckBatch(batch); len(batch) != frames.ChecksumSize || len(body) != 0 || err != nil {
		t.Errorf("%x: %x, %v", batch, body, err)
	}
}

func TestFramesOfABatchComeOutInOrder(t *testing.T) {
	var want []frames.Frame
	for _, k := range kinds() {
		want = append(want, k.frame)
	}
	body, err := frames.CheckBatch(batchOf(want...))
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeAll(body)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%d frames of %d, %v", len(got), len(want), err)
	}
	for i := range got {
		if !equal(&got[i], &want[i]) {
			t.Errorf("frame %d is %s, want %s", i, describe(&got[i]), describe(&want[i]))
		}
	}
}

func TestAFrameThatFailsEndsTheBatchThere(t *testing.T) {
	good := frames.Frame{Op: frames.OpPing, Credit: 1}
	body := frames.Append(nil, &good)
	body = append(body, 0x92, 99, 1)
	body = frames.Append(body, &good)
	got, err := decodeAll(body)
	if len(got) != 1 || !errors.Is(err, frames.ErrUnknownOp) {
		t.Errorf("%d frames, %v", len(got), err)
	}
}

// decodeAll decodes the frames of a batch.
func decodeAll(body []byte) (fs []frames.Frame, err error) {
	for len(body) > 0 {
		var f frames.Frame
		if body, err = frames.Decode(body, &f); err != nil {
			return fs, err
		}
		fs = append(fs, f)
	}
	return fs, nil
}
