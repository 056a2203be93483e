package frames

import (
	"encoding/binary"
	"hash/crc32"
)

// ChecksumSize is what a batch with a checksum reserves in front, in bytes (SPEC.md
// section 4.1): the type byte of a msgpack uint32, and its value.
const ChecksumSize = 5

const checksumType = 0xce

// castagnoli is the table of CRC-32C (RFC 3720 section 12.1), which processors
// compute at several bytes a cycle.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// PutChecksum writes the checksum of batch[ChecksumSize:] into the space in front.
// batch must not be shorter than that.
func PutChecksum(batch []byte) {
	sum := crc32.Checksum(batch[ChecksumSize:], castagnoli)
	batch[0] = checksumType
	binary.BigEndian.PutUint32(batch[1:], sum)
}

// CheckBatch verifies the checksum in front of a batch and returns the frames, which
// borrow from batch.
func CheckBatch(batch []byte) (body []byte, err error) {
	if len(batch) < ChecksumSize || batch[0] != checksumType {
		return nil, ErrChecksum
	}
	body = batch[ChecksumSize:]
	if crc32.Checksum(body, castagnoli) != binary.BigEndian.Uint32(batch[1:]) {
		return nil, ErrChecksum
	}
	return body, nil
}
