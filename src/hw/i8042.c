/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/i8042.c - PC/AT keyboard controller and PS/2 keyboard. IBM Personal
 * System/2 Hardware Interface Technical Reference (1988), sections "Keyboard
 * and Auxiliary Device Controller" and "Keyboard (101- and 102-Key)".
 *
 * Keyboard -> its queue (scan-code set 2) -> output buffer, port 60h, where
 * the controller translates to set 1 if asked -> IRQ 1. The next byte enters
 * the buffer when the guest took the last one. Everything answers at once.
 *
 * The second port fails its test, as one whose clock line is held low, and
 * loops nothing back: so a driver finds that there is none without waiting for
 * an answer or for IRQ 12. Scan-code set 3 is refused. */
#include "hw/i8042.h"

#include <stdlib.h>
#include <string.h>

#include "env/log.h"
#include "hw/ports.h"

enum { STAT_OBF = 1, STAT_SYS = 4, STAT_CMD = 8, STAT_UNLOCKED = 0x10,
       STAT_AUX_OBF = 0x20, STAT_TIMEOUT = 0x40 };
enum { CTR_KBD_INT = 1, CTR_SYS = 4, CTR_KBD_OFF = 0x10, CTR_AUX_OFF = 0x20,
       CTR_XLATE = 0x40 };
enum { OUT_NO_RESET = 1, OUT_A20 = 2, OUT_KBD_IRQ = 0x10, OUT_POWER_ON = 0xcf };
enum { KBD_ACK = 0xfa, KBD_RESEND = 0xfe, KBD_PASSED = 0xaa };
enum { AUX_TEST_CLOCK_LOW = 1, PASSWORD_NONE = 0xf1, SELF_TEST_OK = 0x55,
       INPUT_PORT = 0xb0 };

#define QUEUE_SIZE 16

struct keyboard {
	u8 queue[QUEUE_SIZE];
	u8 first, count;
	u8 pending;              /* command that waits for its argument, 0   */
	u8 set;                  /* scan-code set 1 or 2                     */
	u8 leds, typematic;
	u8 last_sent;
	bool scanning;
};

struct i8042 {
	u8 ram[32];              /* 0: the command byte, CTR_*               */
	u8 status;               /* STAT_* but OBF                           */
	u8 out_port;
	u8 pending;              /* command that waits for port 60h, 0       */
	bool full;               /* output buffer                            */
	bool kbd_byte;           /* what is in it came from the keyboard     */
	u8 data;
	struct keyboard kbd;
	struct i8042_lines lines;
};

/* -- scan codes ------------------------------------------------------------------- */

/* The controller's translation, set 2 to set 1, for 00h-84h; what lies above
 * stays. F0h is dropped and sets bit 7 of its successor. */
/* clang-format off */
static const u8 set1_of_set2[0x85] = {
	0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58,
	0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
	0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a,
	0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
	0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c,
	0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
	0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e,
	0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
	0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60,
	0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
	0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e,
	0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
	0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b,
	0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
	0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45,
	0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54,
	0x80, 0x81, 0x82, 0x41, 0x54,
};
/* clang-format on */

/* From the end: 83h and 84h (F7, SysRq) are the real ones of their pairs. */
static u8 set2_of_set1(u8 key)
{
	for (unsigned i = sizeof(set1_of_set2) - 1; i > 0; i--)
		if (set1_of_set2[i] == key)
			return i;
	return 0;
}

/* -- the controller's output buffer --------------------------------------------------- */

static void update(struct i8042 *k) REQUIRES(bql)
{
	bool irq = k->full && k->kbd_byte && (k->ram[0] & CTR_KBD_INT);

	k->out_port = irq ? k->out_port | OUT_KBD_IRQ :
		k->out_port & ~OUT_KBD_IRQ;
	irq_set(&k->lines.irq1, irq);
}

static void put(struct i8042 *k, u8 byte, bool from_kbd, u8 status)
	REQUIRES(bql)
{
	k->data = byte;
	k->full = true;
	k->kbd_byte = from_kbd;
	k->status = (k->status & ~(STAT_AUX_OBF | STAT_TIMEOUT)) | status;
	update(k);
}

static u8 dequeue(struct keyboard *d)
{
	u8 byte = d->queue[d->first];

	d->first = (d->first + 1) % QUEUE_SIZE;
	d->count--;
	return byte;
}

/* Take the next byte from the keyboard if there is room. */
static void fetch(struct i8042 *k) REQUIRES(bql)
{
	struct keyboard *d = &k->kbd;
	u8 byte, release = 0;

	if (k->full || !d->count || (k->ram[0] & CTR_KBD_OFF))
		return;
	byte = dequeue(d);
	if (k->ram[0] & CTR_XLATE) {
		if (byte == 0xf0 && d->count) {
			release = 0x80;
			byte = dequeue(d);
		}
		if (byte < sizeof(set1_of_set2))
			byte = set1_of_set2[byte] | release;
	}
	put(k, byte, true, 0);
}

/* -- the keyboard ------------------------------------------------------------------------- */

static void kbd_send(struct keyboard *d, u8 byte)
{
	d->last_sent = byte;
	if (d->count < QUEUE_SIZE)
		d->queue[(d->first + d->count++) % QUEUE_SIZE] = byte;
}

static void kbd_defaults(struct keyboard *d)
{
	d->set = 2;
	d->typematic = 0x2b;
	d->pending = 0;
}

static void kbd_power_on(struct keyboard *d)
{
	memset(d, 0, sizeof(*d));
	kbd_defaults(d);
	d->scanning = true;
}

static void kbd_argument(struct keyboard *d, u8 cmd, u8 arg)
{
	if (cmd == 0xf0 && arg > 2) {
		kbd_send(d, KBD_RESEND);
		return;
	}
	kbd_send(d, KBD_ACK);
	if (cmd == 0xed)
		d->leds = arg & 7;
	else if (cmd == 0xf3)
		d->typematic = arg & 0x7f;
	else if (cmd == 0xf0 && arg)
		d->set = arg;
	else if (cmd == 0xf0)
		kbd_send(d, d->set);
}

static void kbd_command(struct keyboard *d, u8 cmd)
{
	switch (cmd) {
	case 0xee:                            /* echo                        */
		kbd_send(d, 0xee);
		return;
	case 0xfe:                            /* send again                  */
		kbd_send(d, d->last_sent);
		return;
	case 0xed: case 0xf0: case 0xf3:      /* LEDs, set, typematic        */
		d->pending = cmd;
		break;
	case 0xf2:                            /* who are you                 */
		kbd_send(d, KBD_ACK);
		kbd_send(d, 0xab);
		kbd_send(d, 0x83);
		return;
	case 0xf4:
		d->scanning = true;
		break;
	case 0xf5: case 0xf6:                 /* defaults, and stop / go     */
		kbd_defaults(d);
		d->scanning = cmd == 0xf6;
		break;
	case 0xf7: case 0xf8: case 0xf9: case 0xfa:  /* key types: set 3     */
		break;
	case 0xff:                            /* reset and test              */
		kbd_power_on(d);
		kbd_send(d, KBD_ACK);
		kbd_send(d, KBD_PASSED);
		return;
	default:
		kbd_send(d, KBD_RESEND);
		return;
	}
	kbd_send(d, KBD_ACK);
}

/* A byte from the host. Commands drop what has not been fetched. */
static void kbd_receive(struct keyboard *d, u8 byte)
{
	u8 cmd = d->pending;

	d->first = d->count = 0;
	d->pending = 0;
	if (cmd && byte < 0xed)
		kbd_argument(d, cmd, byte);
	else
		kbd_command(d, byte);
}

void i8042_key(struct i8042 *k, u8 key, bool down)
{
	struct keyboard *d = &k->kbd;
	u8 code = d->set == 2 ? set2_of_set1(key & 0x7f) : key & 0x7f;

	if (!d->scanning || !code || d->count + 3 > QUEUE_SIZE)
		return;
	if (key & 0x80)
		kbd_send(d, 0xe0);
	if (!down && d->set == 2)
		kbd_send(d, 0xf0);
	else if (!down)
		code |= 0x80;
	kbd_send(d, code);
	fetch(k);
}

/* -- commands at port 64h ---------------------------------------------------------------------- */

static void set_out_port(struct i8042 *k, u8 val) REQUIRES(bql)
{
	k->out_port = val;
	irq_set(&k->lines.a20, (val & OUT_A20) != 0);
	if (!(val & OUT_NO_RESET)) {
		k->out_port |= OUT_NO_RESET;
		irq_set(&k->lines.reset, 1);
		irq_set(&k->lines.reset, 0);
	}
}

static void set_ctr(struct i8042 *k, u8 val) REQUIRES(bql)
{
	k->ram[0] = val;
	k->status = (k->status & ~STAT_SYS) | (val & CTR_SYS);
	update(k);
	fetch(k);
}

/* F0h-FFh pulse the low bits of the output port that are 0. Only the reset
 * line matters: a pulse of 6 us does nothing to A20. */
static void pulse(struct i8042 *k, u8 cmd) REQUIRES(bql)
{
	if (!(cmd & OUT_NO_RESET))
		set_out_port(k, k->out_port & ~OUT_NO_RESET);
}

/* Commands whose whole effect is an answer. */
static const struct { u8 cmd, answer; } answers[] = {
	{ 0xa4, PASSWORD_NONE },
	{ 0xa9, AUX_TEST_CLOCK_LOW },
	{ 0xab, 0 },                          /* keyboard lines are fine     */
	{ 0xc0, INPUT_PORT },
	{ 0xe0, 0 },                          /* test inputs: lines idle     */
};

static void command(struct i8042 *k, u8 cmd) REQUIRES(bql)
{
	k->pending = 0;
	k->status |= STAT_CMD;
	for (unsigned i = 0; i < ARRAY_SIZE(answers); i++)
		if (answers[i].cmd == cmd)
			put(k, answers[i].answer, false, 0);
	if ((cmd & 0xe0) == 0x20) {
		put(k, k->ram[cmd & 31], false, 0);
	} else if ((cmd & 0xe0) == 0x60 || (cmd >= 0xd1 && cmd <= 0xd4)) {
		k->pending = cmd;
	} else if (cmd == 0xa7 || cmd == 0xa8) {
		set_ctr(k, cmd == 0xa7 ? k->ram[0] | CTR_AUX_OFF :
			k->ram[0] & ~CTR_AUX_OFF);
	} else if (cmd == 0xad || cmd == 0xae) {
		set_ctr(k, cmd == 0xad ? k->ram[0] | CTR_KBD_OFF :
			k->ram[0] & ~CTR_KBD_OFF);
	} else if (cmd == 0xaa) {
		set_ctr(k, k->ram[0] | CTR_SYS | CTR_KBD_OFF | CTR_AUX_OFF);
		put(k, SELF_TEST_OK, false, 0);
	} else if (cmd == 0xd0) {
		put(k, k->out_port, false, 0);
	} else if (cmd == 0xdd || cmd == 0xdf) {
		set_out_port(k, cmd == 0xdf ? k->out_port | OUT_A20 :
			     k->out_port & ~OUT_A20);
	} else if (cmd >= 0xf0) {
		pulse(k, cmd);
	}
}

static void argument(struct i8042 *k, u8 cmd, u8 val) REQUIRES(bql)
{
	if (cmd == 0x60)
		set_ctr(k, val);
	else if (cmd < 0x80)
		k->ram[cmd & 31] = val;
	else if (cmd == 0xd1)
		set_out_port(k, val);
	else if (cmd == 0xd2)
		put(k, val, true, 0);
	else if (cmd == 0xd3)                 /* loops back nothing          */
		put(k, KBD_RESEND, false, 0);
	else if (cmd == 0xd4)                 /* nobody answers              */
		put(k, KBD_RESEND, false, STAT_AUX_OBF | STAT_TIMEOUT);
}

/* -- ports ------------------------------------------------------------------------------------------ */

static void data_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct i8042 *k = opaque;
	u8 cmd = k->pending;

	(void)addr, (void)size;
	k->pending = 0;
	k->status &= ~STAT_CMD;
	if (cmd) {
		argument(k, cmd, val);
		return;
	}
	if (k->ram[0] & CTR_KBD_OFF)          /* sending opens the line      */
		set_ctr(k, k->ram[0] & ~CTR_KBD_OFF);
	kbd_receive(&k->kbd, val);
	fetch(k);
}

/* The byte stays readable after the buffer is empty. */
static u64 data_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct i8042 *k = opaque;
	u8 v = k->data;

	(void)addr, (void)size;
	k->full = false;
	k->status &= ~(STAT_AUX_OBF | STAT_TIMEOUT);
	update(k);
	fetch(k);
	return v;
}

static void command_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	(void)addr, (void)size;
	command(opaque, val);
}

static u64 status_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct i8042 *k = opaque;

	(void)addr, (void)size;
	return k->status | (k->full ? STAT_OBF : 0);
}

static const struct memory_region_ops data_ops = { data_read, data_write, 1, 1 };
static const struct memory_region_ops command_ops = {
	status_read, command_write, 1, 1
};

/* -- life -------------------------------------------------------------------------------------------- */

void i8042_reset(void *opaque)
{
	struct i8042 *k = opaque;

	memset(k->ram, 0, sizeof(k->ram));
	k->ram[0] = CTR_KBD_INT | CTR_AUX_OFF;
	k->status = STAT_CMD | STAT_UNLOCKED;
	k->pending = 0;
	k->full = k->kbd_byte = false;
	k->data = 0;
	kbd_power_on(&k->kbd);
	set_out_port(k, OUT_POWER_ON);
	update(k);
}

struct i8042 *i8042_new(struct memory_region *io, const struct i8042_lines *lines)
{
	struct i8042 *k = calloc(1, sizeof(*k));

	if (!k)
		die("out of memory");
	k->lines = *lines;
	ports_map(io, "i8042-data", 0x60, 1, &data_ops, k);
	ports_map(io, "i8042-cmd", 0x64, 1, &command_ops, k);
	i8042_reset(k);
	return k;
}
