/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/serial.c - 16550A UART. National Semiconductor PC16550D (1995).
 *
 * The line is infinitely fast: a byte written is sent at once, the
 * transmitter is always empty again, and the divisor is only remembered. The
 * other side is always connected and ready (CTS, DSR, DCD).
 *
 * Who sends looks at LSR before each byte: that takes no lock, unless it has an error to
 * clear.
 *
 * DIFF: as upstream and unlike a PC's wiring, OUT2 does not gate the
 * interrupt: kernels exist that never set it. */
#include "hw/serial.h"

#include <stdlib.h>

#include "env/log.h"
#include "hw/ports.h"
#include "qemu/chardev.h"
#include "qemu/memory.h"
#include "qemu/timer.h"

enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RDA = 1, IER_THRE = 2, IER_RLS = 4, IER_MS = 8 };
enum { IIR_NONE = 1, IIR_MS = 0, IIR_THRE = 2, IIR_RDA = 4, IIR_RLS = 6,
       IIR_TIMEOUT = 0x0c, IIR_FIFO = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_KEPT = 0xc9 };
enum { LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 0x10,
       MCR_WRITABLE = 0x1f };
enum { LSR_DR = 1, LSR_OE = 2, LSR_BI = 0x10, LSR_THRE = 0x20, LSR_TEMT = 0x40,
       LSR_ERRORS = 0x1e };
enum { MSR_CTS = 0x10, MSR_DSR = 0x20, MSR_RI = 0x40, MSR_DCD = 0x80,
       MSR_DELTA = 0x0f, MSR_TERI = 4, MSR_CONNECTED = MSR_CTS | MSR_DSR | MSR_DCD };

#define FIFO_SIZE 16
#define TIMEOUT_NS 350000            /* four characters at 115200 baud       */

struct serial {
	u8 ier, fcr, lcr, mcr, msr, scr;
	u8 lsr;                  /* _Atomic; written under the BQL           */
	u16 divisor;
	bool thre_pending;       /* THR became empty, IIR did not say so yet */
	bool timed_out;          /* bytes lie in the FIFO, below the trigger */
	u8 fifo[FIFO_SIZE];
	u8 fifo_first, fifo_count;
	struct irq_line irq;
	struct chardev *chr;
	struct timer timer;
};

static void set_lsr(struct serial *s, u8 v) REQUIRES(bql)
{
	__atomic_store_n(&s->lsr, v, __ATOMIC_RELEASE);
}

/* -- interrupts ----------------------------------------------------------------- */

static bool fifo_on(const struct serial *s) { return s->fcr & FCR_ENABLE; }

static int trigger_level(const struct serial *s)
{
	static const u8 level[4] = { 1, 4, 8, 14 };

	return fifo_on(s) ? level[s->fcr >> 6] : 1;
}

/* The pending interrupt of highest priority, as IIR codes it. */
static u8 cause(const struct serial *s)
{
	if ((s->ier & IER_RLS) && (s->lsr & LSR_ERRORS))
		return IIR_RLS;
	if ((s->ier & IER_RDA) && s->fifo_count >= trigger_level(s))
		return IIR_RDA;
	if ((s->ier & IER_RDA) && s->timed_out)
		return IIR_TIMEOUT;
	if ((s->ier & IER_THRE) && s->thre_pending)
		return IIR_THRE;
	if ((s->ier & IER_MS) && (s->msr & MSR_DELTA))
		return IIR_MS;
	return IIR_NONE;
}

static void update(struct serial *s) REQUIRES(bql)
{
	irq_set(&s->irq, cause(s) != IIR_NONE);
}

/* -- receiving -------------------------------------------------------------------- */

static void watch_timeout(struct serial *s) REQUIRES(bql)
{
	s->timed_out = false;
	if (fifo_on(s) && s->fifo_count)
		timer_mod_ns(&s->timer, qemu_clock_get_ns() + TIMEOUT_NS);
	else
		timer_del(&s->timer);
}

static void timeout_is_due(void *opaque) REQUIRES(bql)
{
	struct serial *s = opaque;

	s->timed_out = s->fifo_count != 0;
	update(s);
}

static int room(const struct serial *s)
{
	return (fifo_on(s) ? FIFO_SIZE : 1) - s->fifo_count;
}

static void receive_byte(struct serial *s, u8 byte) REQUIRES(bql)
{
	if (room(s) <= 0) {
		set_lsr(s, s->lsr | LSR_OE);
		if (!fifo_on(s))              /* the new byte wins           */
			s->fifo[s->fifo_first] = byte;
		return;
	}
	s->fifo[(s->fifo_first + s->fifo_count++) % FIFO_SIZE] = byte;
	set_lsr(s, s->lsr | LSR_DR);
}

static int can_receive(void *opaque) REQUIRES(bql)
{
	struct serial *s = opaque;

	return s->mcr & MCR_LOOP ? 0 : MAX(room(s), 0);
}

static void receive(void *opaque, const u8 *buf, int n) REQUIRES(bql)
{
	struct serial *s = opaque;

	for (int i = 0; i < n; i++)
		receive_byte(s, buf[i]);
	watch_timeout(s);
	update(s);
}

static void clear_fifo(struct serial *s) REQUIRES(bql)
{
	s->fifo_first = s->fifo_count = 0;
	set_lsr(s, s->lsr & ~(LSR_DR | LSR_BI));
	watch_timeout(s);
	chardev_accept_input(s->chr);
}

static u8 read_rbr(struct serial *s) REQUIRES(bql)
{
	u8 v = s->fifo[s->fifo_first];

	if (s->fifo_count) {
		s->fifo_first = (s->fifo_first + 1) % FIFO_SIZE;
		s->fifo_count--;
	}
	if (!s->fifo_count) {
		set_lsr(s, s->lsr & ~LSR_DR);
		chardev_accept_input(s->chr);
	}
	watch_timeout(s);
	update(s);
	return v;
}

/* -- sending, modem lines ------------------------------------------------------------ */

/* THR is full for no time: the interrupt goes away and comes again, which is
 * an edge for the interrupt controller. */
static void write_thr(struct serial *s, u8 byte) REQUIRES(bql)
{
	s->thre_pending = false;
	update(s);
	if (s->mcr & MCR_LOOP) {
		receive_byte(s, byte);
		watch_timeout(s);
	} else {
		chardev_write(s->chr, &byte, 1);
	}
	s->thre_pending = true;
	update(s);
}

static void set_modem_lines(struct serial *s)
{
	u8 old = s->msr, lines = MSR_CONNECTED, m = s->mcr;

	if (m & MCR_LOOP)
		lines = (m & MCR_DTR ? MSR_DSR : 0) | (m & MCR_RTS ? MSR_CTS : 0) |
			(m & MCR_OUT1 ? MSR_RI : 0) | (m & MCR_OUT2 ? MSR_DCD : 0);
	s->msr = lines | (old & MSR_DELTA) | ((old ^ lines) >> 4 & ~MSR_TERI);
	if ((old & ~lines) & MSR_RI)          /* RI counts when it falls     */
		s->msr |= MSR_TERI;
}

static void write_mcr(struct serial *s, u8 val) REQUIRES(bql)
{
	bool looped = s->mcr & MCR_LOOP;

	s->mcr = val & MCR_WRITABLE;
	set_modem_lines(s);
	if (looped && !(s->mcr & MCR_LOOP))
		chardev_accept_input(s->chr);
}

/* A break in loopback arrives as a zero byte. */
static void write_lcr(struct serial *s, u8 val) REQUIRES(bql)
{
	bool begins = val & ~s->lcr & LCR_BREAK;

	s->lcr = val;
	if (begins && (s->mcr & MCR_LOOP)) {
		receive_byte(s, 0);
		set_lsr(s, s->lsr | LSR_BI);
		watch_timeout(s);
	}
}

/* -- registers --------------------------------------------------------------------------- */

static void write_ier(struct serial *s, u8 val)
{
	if (val & ~s->ier & IER_THRE)
		s->thre_pending = true;
	s->ier = val & 0x0f;
}

static void write_fcr(struct serial *s, u8 val) REQUIRES(bql)
{
	bool clear = (val ^ s->fcr) & FCR_ENABLE || val & FCR_CLEAR_RX;

	s->fcr = val & FCR_ENABLE ? val & FCR_KEPT : 0;
	if (clear)
		clear_fifo(s);
}

static u8 read_iir(struct serial *s) REQUIRES(bql)
{
	u8 v = cause(s);

	if (v == IIR_THRE) {
		s->thre_pending = false;
		update(s);
	}
	return v | (fifo_on(s) ? IIR_FIFO : 0);
}

static u8 read_lsr_errors(struct serial *s) REQUIRES(bql)
{
	u8 v = s->lsr;

	set_lsr(s, v & ~LSR_ERRORS);
	update(s);
	return v;
}

/* UNCHECKED: the BQL is taken on a condition, unless the access came with it. */
static UNCHECKED u64 lsr_read(void *opaque, gpa addr, unsigned size)
{
	struct serial *s = opaque;
	u8 v = __atomic_load_n(&s->lsr, __ATOMIC_ACQUIRE);
	bool held = bql_held();

	(void)addr, (void)size;
	if (v & LSR_ERRORS) {
		if (!held)
			bql_lock();
		v = read_lsr_errors(s);
		if (!held)
			bql_unlock();
	}
	return v | LSR_THRE | LSR_TEMT;
}

/* For factory tests only, says the data sheet. */
static void lsr_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	(void)opaque, (void)addr, (void)val, (void)size;
}

static u8 read_msr(struct serial *s) REQUIRES(bql)
{
	u8 v = s->msr;

	if (v & MSR_DELTA) {
		s->msr &= ~MSR_DELTA;
		update(s);
	}
	return v;
}

static void serial_write(void *opaque, gpa addr, u64 val, unsigned size)
	REQUIRES(bql)
{
	struct serial *s = opaque;
	bool dlab = s->lcr & LCR_DLAB;
	u8 v = val;

	(void)size;
	switch (addr & 7) {
	case RBR_THR:
		if (dlab)
			s->divisor = (s->divisor & 0xff00) | v;
		else
			write_thr(s, v);
		return;
	case IER:
		if (dlab)
			s->divisor = (s->divisor & 0xff) | v << 8;
		else
			write_ier(s, v);
		break;
	case IIR_FCR:
		write_fcr(s, v);
		break;
	case LCR:
		write_lcr(s, v);
		break;
	case MCR:
		write_mcr(s, v);
		break;
	case SCR:
		s->scr = v;
		return;
	}
	update(s);
}

static u64 serial_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	struct serial *s = opaque;
	bool dlab = s->lcr & LCR_DLAB;

	(void)size;
	switch (addr & 7) {
	case RBR_THR:
		return dlab ? s->divisor & 0xff : read_rbr(s);
	case IER:
		return dlab ? s->divisor >> 8 : s->ier;
	case IIR_FCR:
		return read_iir(s);
	case LCR:
		return s->lcr;
	case MCR:
		return s->mcr;
	case MSR:
		return read_msr(s);
	default:
		return s->scr;
	}
}

/* The ports behind LSR. */
static u64 high_read(void *opaque, gpa addr, unsigned size) REQUIRES(bql)
{
	return serial_read(opaque, addr + MSR, size);
}

static void high_write(void *opaque, gpa addr, u64 val, unsigned size) REQUIRES(bql)
{
	serial_write(opaque, addr + MSR, val, size);
}

static const struct memory_region_ops serial_ops = { serial_read, serial_write, 1, 1 };
static const struct memory_region_ops lsr_ops = { lsr_read, lsr_write, 1, 1 };
static const struct memory_region_ops high_ops = { high_read, high_write, 1, 1 };

/* -- life ------------------------------------------------------------------------------------ */

void serial_reset(void *opaque)
{
	struct serial *s = opaque;

	s->ier = s->fcr = s->lcr = s->scr = 0;
	set_lsr(s, 0);
	s->mcr = MCR_OUT2;
	s->divisor = 12;                      /* 9600 baud                   */
	s->msr = MSR_CONNECTED;
	s->thre_pending = false;
	clear_fifo(s);
	update(s);
}

struct serial *serial_new(struct memory_region *io, u16 iobase,
			  const struct irq_line *irq, struct chardev *chr)
{
	struct serial *s = calloc(1, sizeof(*s));

	if (!s)
		die("out of memory");
	s->irq = *irq;
	s->chr = chr;
	timer_init_ns(&s->timer, timeout_is_due, s);
	ports_map(io, "serial", iobase, LSR, &serial_ops, s);
	memory_region_clear_global_locking(ports_map(io, "serial-lsr", iobase + LSR, 1,
						     &lsr_ops, s));
	ports_map(io, "serial", iobase + MSR, 2, &high_ops, s);
	chardev_set_reader(chr, can_receive, receive, s);
	serial_reset(s);
	return s;
}
