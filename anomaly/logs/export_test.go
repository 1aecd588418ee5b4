package logs

import "encoding/binary"

// Payload is what stands between the frame of a snapshot.
func Payload(snapshot []byte) []byte {
	at := len(minerMagic) + 1
	_, width := binary.Uvarint(snapshot[at:])
	return snapshot[at+width : len(snapshot)-4]
}

// SealMiner and SealWatch put a payload into the frame of a snapshot.
func SealMiner(payload []byte) []byte { return seal(minerMagic, payload) }

// SealWatch is for the snapshots of watches.
func SealWatch(payload []byte) []byte { return seal(watchMagic, payload) }

// UpperTail is the tail that findings are judged by.
func UpperTail(x, mean, shape float64) float64 { return upperTail(x, mean, shape) }
