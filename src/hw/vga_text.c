/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/vga_text.c - VGA registers and text memory. IBM PS/2 Hardware
 * Interface Technical Reference (1988), "Video Subsystem".
 *
 * The registers are read back as written; none of them changes how the
 * memory is seen: A0000h-BFFFFh is plain RAM, planes and modes are left out.
 * The retrace bits of input status 1 follow the clock, as those of 720x400
 * at 70 Hz. */
#include "hw/vga_text.h"

#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "hw/ports.h"
#include "qemu/timer.h"

#define VGA_BASE 0xa0000
#define VGA_SIZE 0x20000
#define TEXT_OFFSET 0x18000
#define TEXT_CELLS (80 * 25)
#define FIRST_PORT 0x3b0
#define N_PORTS 0x30

/* 31.47 kHz lines, 449 of them a frame, 400 of which show something. */
#define LINE_NS 31778
#define LINE_SHOWN_NS 25422
#define FRAME_LINES 449
#define SHOWN_LINES 400
#define RETRACE_FIRST 412
#define RETRACE_LINES 2

enum { MISC_COLOUR = 1, AR_INDEX = 0x1f, ST1_BLANK = 1, ST1_RETRACE = 8 };

/* An index register and its data registers. */
struct bank { u8 index, mask; u8 reg[32]; };

struct vga {
	struct memory_region ram;
	struct bank crtc, seq, gfx;
	u8 ar_index, ar[32];
	bool ar_data;            /* the next write to 3C0h is data           */
	u8 misc, feature;
	u8 dac[256 * 3], dac_mask, dac_state;
	u16 dac_read, dac_write; /* byte in dac[]                            */
};

/* -- BIOS mode 3 ------------------------------------------------------------------ */

/* clang-format off */
static const u8 mode3_crtc[] = {
	0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0x00, 0x4f, 0x0d, 0x0e,
	0x00, 0x00, 0x00, 0x00, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3,
	0xff,
};
static const u8 mode3_seq[] = { 0x03, 0x00, 0x03, 0x00, 0x02 };
static const u8 mode3_gfx[] = {
	0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x0f, 0xff,
};
static const u8 mode3_ar[] = {
	0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x14, 0x07, 0x38, 0x39, 0x3a, 0x3b,
	0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00,
};
/* clang-format on */

/* Colour n of the default palette: bits rgbRGB, two thirds and one third. */
static void default_palette(u8 *dac)
{
	for (int n = 0; n < 64; n++)
		for (int c = 0; c < 3; c++)
			dac[n * 3 + c] = (n >> (2 - c) & 1) * 42 +
				(n >> (5 - c) & 1) * 21;
}

static void clear_text(struct vga *v)
{
	u8 *cell = memory_region_host(&v->ram) + TEXT_OFFSET;

	for (int i = 0; i < TEXT_CELLS; i++) {
		cell[2 * i] = ' ';
		cell[2 * i + 1] = 0x07;
	}
	tb_invalidate_phys_range(v->ram.ram + TEXT_OFFSET, 2 * TEXT_CELLS);
}

void vga_reset(void *opaque)
{
	struct vga *v = opaque;

	memset(&v->crtc, 0, sizeof(*v) - offsetof(struct vga, crtc));
	v->crtc.mask = 0x1f;
	v->seq.mask = 0x07;
	v->gfx.mask = 0x0f;
	memcpy(v->crtc.reg, mode3_crtc, sizeof(mode3_crtc));
	memcpy(v->seq.reg, mode3_seq, sizeof(mode3_seq));
	memcpy(v->gfx.reg, mode3_gfx, sizeof(mode3_gfx));
	memcpy(v->ar, mode3_ar, sizeof(mode3_ar));
	v->misc = 0x67;
	v->dac_mask = 0xff;
	default_palette(v->dac);
	clear_text(v);
}

/* -- registers --------------------------------------------------------------------- */

static u8 status1(struct vga *v)
{
	u64 now = qemu_clock_get_ns();
	u32 line = now / LINE_NS % FRAME_LINES;
	u8 s = 0;

	v->ar_data = false;
	if (line >= SHOWN_LINES || now % LINE_NS >= LINE_SHOWN_NS)
		s |= ST1_BLANK;
	if (line - RETRACE_FIRST < RETRACE_LINES)
		s |= ST1_RETRACE;
	return s;
}

static void attribute_write(struct vga *v, u8 val)
{
	if (v->ar_data)
		v->ar[v->ar_index & AR_INDEX] = val;
	else
		v->ar_index = val & 0x3f;
	v->ar_data = !v->ar_data;
}

static u8 dac_read(struct vga *v)
{
	u8 val = v->dac[v->dac_read];

	v->dac_read = (v->dac_read + 1) % sizeof(v->dac);
	return val;
}

static void dac_write(struct vga *v, u8 val)
{
	v->dac[v->dac_write] = val & 0x3f;
	v->dac_write = (v->dac_write + 1) % sizeof(v->dac);
}

/* The CRTC and status 1 sit at 3Bxh or 3Dxh, as the misc register says. */
static bool is_elsewhere(const struct vga *v, unsigned port)
{
	unsigned block = port & 0xff0;

	return block != 0x3c0 && (block == 0x3d0) != (v->misc & MISC_COLOUR);
}

static struct bank *bank_at(struct vga *v, unsigned port)
{
	switch (port) {
	case 0x3c4: case 0x3c5:
		return &v->seq;
	case 0x3ce: case 0x3cf:
		return &v->gfx;
	case 0x3b4: case 0x3b5: case 0x3d4: case 0x3d5:
		return &v->crtc;
	}
	return NULL;
}

static u64 vga_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct vga *v = opaque;
	unsigned port = FIRST_PORT + addr;
	struct bank *b = bank_at(v, port);

	(void)size;
	if (is_elsewhere(v, port))
		return 0xff;
	if (b)
		return port & 1 ? b->reg[b->index & b->mask] : b->index;
	switch (port) {
	case 0x3c0:
		return v->ar_index;
	case 0x3c1:
		return v->ar[v->ar_index & AR_INDEX];
	case 0x3c2:
		return 0x10;                  /* a colour monitor            */
	case 0x3c6:
		return v->dac_mask;
	case 0x3c7:
		return v->dac_state;
	case 0x3c8:
		return v->dac_write / 3;
	case 0x3c9:
		return dac_read(v);
	case 0x3ca:
		return v->feature;
	case 0x3cc:
		return v->misc;
	case 0x3ba: case 0x3da:
		return status1(v);
	}
	return 0xff;
}

static void bank_write(struct bank *b, bool data, u8 val)
{
	if (!data)
		b->index = val & b->mask;
	else
		b->reg[b->index & b->mask] = val;
}

/* CR11 bit 7 protects CR0-CR7, but for the line compare bit of CR7. */
static void crtc_data_write(struct vga *v, u8 val)
{
	u8 i = v->crtc.index & v->crtc.mask;

	if (i > 7 || !(v->crtc.reg[0x11] & 0x80))
		v->crtc.reg[i] = val;
	else if (i == 7)
		v->crtc.reg[i] = (v->crtc.reg[i] & ~0x10) | (val & 0x10);
}

static void vga_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct vga *v = opaque;
	unsigned port = FIRST_PORT + addr;
	struct bank *b = bank_at(v, port);

	(void)size;
	if (is_elsewhere(v, port))
		return;
	if (b == &v->crtc && port & 1) {
		crtc_data_write(v, val);
		return;
	}
	if (b) {
		bank_write(b, port & 1, val);
		return;
	}
	switch (port) {
	case 0x3c0:
		attribute_write(v, val);
		break;
	case 0x3c2:
		v->misc = val;
		break;
	case 0x3c6:
		v->dac_mask = val;
		break;
	case 0x3c7:
		v->dac_read = (u8)val * 3;
		v->dac_state = 3;
		break;
	case 0x3c8:
		v->dac_write = (u8)val * 3;
		v->dac_state = 0;
		break;
	case 0x3c9:
		dac_write(v, val);
		break;
	case 0x3ba: case 0x3da:
		v->feature = val;
		break;
	}
}

static const struct memory_region_ops vga_ops = { vga_read, vga_write, 1, 1 };

/* -- life ---------------------------------------------------------------------------- */

struct vga *vga_new(struct memory_region *mem, struct memory_region *io,
		    const struct memory_region *ram)
{
	struct vga *v = calloc(1, sizeof(*v));

	if (!v)
		die("out of memory");
	memory_region_init_over(&v->ram, "vga.text", VGA_SIZE, MR_RAM, ram, VGA_BASE);
	memory_region_add_subregion_overlap(mem, VGA_BASE, &v->ram, 1);
	ports_map(io, "vga", FIRST_PORT, N_PORTS, &vga_ops, v);
	return v;
}
