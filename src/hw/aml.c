/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/aml.c - writing ACPI Machine Language. ACPI 6.4: chapter 20 for the
 * opcodes, 6.4 for resource descriptors. */
#include "hw/aml.h"

#include <string.h>

enum { OP_NAME = 0x08, OP_BYTE = 0x0a, OP_WORD = 0x0b, OP_DWORD = 0x0c,
       OP_STRING = 0x0d, OP_SCOPE = 0x10, OP_BUFFER = 0x11, OP_PACKAGE = 0x12,
       OP_EXT = 0x5b, OP_EXT_DEVICE = 0x82 };
enum { RES_IRQ = 0x22, RES_IO = 0x47, RES_END = 0x79, RES_MEMORY = 0x86,
       IO_DECODE16 = 1, MEMORY_WRITABLE = 1, MEMORY_BYTES = 9 };

/* A PkgLength is always written in its three-byte form, so that its room can
 * be left free before the length is known. */
enum { LENGTH_BYTES = 3, LENGTH_FORM = 0x80 };

void aml_byte(struct aml *a, u8 v)
{
	if (a->used < a->room)
		a->at[a->used] = v;
	a->used++;
}

void aml_bytes(struct aml *a, const void *from, u32 n)
{
	const u8 *p = from;

	while (n--)
		aml_byte(a, *p++);
}

void aml_u16(struct aml *a, u16 v)
{
	aml_byte(a, v & 0xff);
	aml_byte(a, v >> 8);
}

void aml_u32(struct aml *a, u32 v)
{
	aml_u16(a, v & 0xffff);
	aml_u16(a, v >> 16);
}

void aml_int(struct aml *a, u32 v)
{
	if (v <= 1) {                    /* ZeroOp, OneOp                    */
		aml_byte(a, v);
	} else if (v <= 0xff) {
		aml_byte(a, OP_BYTE);
		aml_byte(a, v);
	} else if (v <= 0xffff) {
		aml_byte(a, OP_WORD);
		aml_u16(a, v);
	} else {
		aml_byte(a, OP_DWORD);
		aml_u32(a, v);
	}
}

void aml_string(struct aml *a, const char *s)
{
	aml_byte(a, OP_STRING);
	aml_bytes(a, s, strlen(s) + 1);
}

void aml_name(struct aml *a, const char *segment)
{
	aml_byte(a, OP_NAME);
	aml_bytes(a, segment, strlen(segment));
}

static u32 hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'A' + 10;
}

/* Three letters of five bits each, then four hex digits; big-endian. */
void aml_eisa_id(struct aml *a, const char *id)
{
	u32 v = 0;

	for (int i = 0; i < 3; i++)
		v = v << 5 | (id[i] - 0x40);
	for (int i = 3; i < 7; i++)
		v = v << 4 | hex_digit(id[i]);
	aml_byte(a, OP_DWORD);
	aml_u32(a, __builtin_bswap32(v));
}

/* -- objects with a length ----------------------------------------------------- */

static u32 length_begin(struct aml *a)
{
	u32 mark = a->used;

	for (int i = 0; i < LENGTH_BYTES; i++)
		aml_byte(a, 0);
	return mark;
}

void aml_end(struct aml *a, u32 mark)
{
	u32 n = a->used - mark;

	if (a->used > a->room)
		return;
	a->at[mark] = LENGTH_FORM | (n & 15);
	a->at[mark + 1] = n >> 4;
	a->at[mark + 2] = n >> 12;
}

u32 aml_scope(struct aml *a, const char *path)
{
	u32 mark;

	aml_byte(a, OP_SCOPE);
	mark = length_begin(a);
	aml_bytes(a, path, strlen(path));
	return mark;
}

u32 aml_device(struct aml *a, const char *segment)
{
	u32 mark;

	aml_byte(a, OP_EXT);
	aml_byte(a, OP_EXT_DEVICE);
	mark = length_begin(a);
	aml_bytes(a, segment, strlen(segment));
	return mark;
}

u32 aml_package(struct aml *a, u8 n_elements)
{
	u32 mark;

	aml_byte(a, OP_PACKAGE);
	mark = length_begin(a);
	aml_byte(a, n_elements);
	return mark;
}

/* -- resources ------------------------------------------------------------------- */

u32 aml_resources(struct aml *a)
{
	u32 mark;

	aml_name(a, "_CRS");
	aml_byte(a, OP_BUFFER);
	mark = length_begin(a);
	aml_byte(a, OP_BYTE);            /* BufferSize, known at the end     */
	aml_byte(a, 0);
	return mark;
}

void aml_res_io(struct aml *a, u16 port, u8 count)
{
	aml_byte(a, RES_IO);
	aml_byte(a, IO_DECODE16);
	aml_u16(a, port);                /* lowest, highest place            */
	aml_u16(a, port);
	aml_byte(a, 1);                  /* alignment                        */
	aml_byte(a, count);
}

void aml_res_irq(struct aml *a, int irq)
{
	aml_byte(a, RES_IRQ);
	aml_u16(a, 1 << irq);
}

void aml_res_memory(struct aml *a, u32 addr, u32 size)
{
	aml_byte(a, RES_MEMORY);
	aml_u16(a, MEMORY_BYTES);
	aml_byte(a, MEMORY_WRITABLE);
	aml_u32(a, addr);
	aml_u32(a, size);
}

void aml_resources_end(struct aml *a, u32 mark)
{
	u32 size_at = mark + LENGTH_BYTES + 1;

	aml_byte(a, RES_END);
	aml_byte(a, 0);                  /* "checksum not used"              */
	if (a->used <= a->room)
		a->at[size_at] = a->used - size_at - 1;
	aml_end(a, mark);
}
