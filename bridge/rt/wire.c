/* RTP header and payload formats: L16 (RFC 3551, section 4.5.11), L24 (RFC
 * 3190, section 4) and F32 (ours: IEEE 754 binary32, little-endian). */
/* lrintf as one instruction; cgo does not take the flag from the command line. */
#pragma GCC optimize("no-math-errno")

#include "core.h"

#include <math.h>
#include <string.h>

uint32_t archibald_wire_sample_bytes(enum wire_encoding encoding) {
    switch (encoding) {
    case WIRE_L16: return 2;
    case WIRE_L24: return 3;
    case WIRE_F32: return 4;
    case WIRE_CODED: break;
    }
    return 0;
}

/* Finite test on the bits: the compiler may assume away isfinite(). */
static inline int finite_bits(uint32_t bits) { return (bits & 0x7f800000u) != 0x7f800000u; }

static inline uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

uint32_t archibald_wire_interleave(const float *in, float *out, uint32_t stride, uint32_t frames) {
    uint32_t nonfinite = 0;
    for (uint32_t i = 0; i < frames; i++) {
        int fine = finite_bits(bits_of(in[i]));
        out[(size_t)i * stride] = fine ? in[i] : 0;
        nonfinite += !fine;
    }
    return nonfinite;
}

static inline float clamped(float x, float low, float high) {
    return x < low ? low : x > high ? high : x;
}

uint32_t archibald_wire_encode(enum wire_encoding encoding, uint8_t *payload,
                               const float *const *in, uint32_t channels, uint32_t from,
                               uint32_t frames) {
    const uint32_t size = archibald_wire_sample_bytes(encoding), stride = size * channels;
    uint32_t nonfinite = 0;
    for (uint32_t c = 0; c < channels; c++) {
        const float *samples = in[c] + from;
        uint8_t *at = payload + c * size;
        for (uint32_t i = 0; i < frames; i++, at += stride) {
            float x = samples[i];
            uint32_t bits = bits_of(x);
            if (!finite_bits(bits)) {
                nonfinite++;
                x = 0;
                bits = 0;
            }
            if (encoding == WIRE_F32) {
                at[0] = (uint8_t)bits;
                at[1] = (uint8_t)(bits >> 8);
                at[2] = (uint8_t)(bits >> 16);
                at[3] = (uint8_t)(bits >> 24);
            } else if (encoding == WIRE_L24) {
                int32_t v = (int32_t)lrintf(clamped(x * 8388608.f, -8388608.f, 8388607.f));
                at[0] = (uint8_t)(v >> 16);
                at[1] = (uint8_t)(v >> 8);
                at[2] = (uint8_t)v;
            } else {
                int32_t v = (int32_t)lrintf(clamped(x * 32768.f, -32768.f, 32767.f));
                at[0] = (uint8_t)(v >> 8);
                at[1] = (uint8_t)v;
            }
        }
    }
    return nonfinite;
}

uint32_t archibald_wire_decode(enum wire_encoding encoding, const uint8_t *payload, uint32_t stride,
                               uint32_t channel, float *out, uint32_t frames) {
    const uint8_t *at = payload + channel * archibald_wire_sample_bytes(encoding);
    uint32_t nonfinite = 0;
    for (uint32_t i = 0; i < frames; i++, at += stride) {
        if (encoding == WIRE_F32) {
            uint32_t bits = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
                            (uint32_t)at[3] << 24;
            if (!finite_bits(bits)) {
                nonfinite++;
                bits = 0;
            }
            memcpy(&out[i], &bits, sizeof bits);
        } else if (encoding == WIRE_L24) {
            uint32_t v = (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8;
            out[i] = (float)((int32_t)v >> 8) * (1.f / 8388608.f);
        } else {
            uint16_t v = (uint16_t)(at[0] << 8 | at[1]);
            out[i] = (float)(int16_t)v * (1.f / 32768.f);
        }
    }
    return nonfinite;
}

static inline uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

int archibald_rtp_is_rtcp(const uint8_t *data, size_t bytes) {
    return bytes >= 8 && data[0] >> 6 == 2 && data[1] >= 192 && data[1] <= 223;
}

static inline uint32_t be16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }

/* The send delay among the elements of a one-byte header extension (RFC 8285,
 * section 4.2), in us; -1 when it is not there, not known, or when what is before
 * it makes no sense. */
static int32_t find_send_delay(const uint8_t *at, size_t bytes) {
    while (bytes > 0) {
        size_t size = 1;
        if (*at != 0) { /* else a byte of padding */
            const int id = *at >> 4;
            size += (size_t)(*at & 15) + 1;
            if (id == 0 || id == 15 || size > bytes) return -1;
            if (id == SEND_DELAY_ID)
                return size == 3 && be16(at + 1) != 0xffff ? (int32_t)be16(at + 1) : -1;
        }
        at += size;
        bytes -= size;
    }
    return -1;
}

int archibald_rtp_parse(rtp_packet *packet, const uint8_t *data, size_t bytes) {
    if (bytes < RTP_HEADER_BYTES || data[0] >> 6 != 2) return -1;
    size_t header = RTP_HEADER_BYTES + 4 * (size_t)(data[0] & 15);
    packet->send_delay_us = -1;
    if (data[0] & 0x10) { /* header extension: skipped, but for the send delay */
        if (bytes < header + 4) return -1;
        const size_t elements = header + 4;
        const int one_byte = be16(data + header) == 0xbede;
        header = elements + 4 * (size_t)be16(data + header + 2);
        if (bytes < header) return -1;
        if (one_byte) packet->send_delay_us = find_send_delay(data + elements, header - elements);
    }
    if (bytes < header) return -1;
    size_t padding = 0;
    if (data[0] & 0x20) {
        padding = data[bytes - 1];
        if (padding == 0 || header + padding > bytes) return -1;
    }
    packet->payload_type = data[1] & 0x7f;
    packet->marker = data[1] >> 7;
    packet->sequence = (uint16_t)be16(data + 2);
    packet->timestamp = be32(data + 4);
    packet->ssrc = be32(data + 8);
    packet->payload = data + header;
    packet->payload_bytes = (uint32_t)(bytes - header - padding);
    return 0;
}
