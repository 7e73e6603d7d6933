/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/hw/serial.c - 16550A UART. National Semiconductor PC16550D (1995).
 *
 * The line is infinitely fast: a byte written is sent at once, the
 * transmitter is always empty again, and the divisor is only remembered. The
 * other side is always connected and ready (CTS, DSR, DCD).
 *
 * A port has a lock of its own, not the BQL. An access changes what that guards; if
 * others are concerned then (the interrupt line moves, or the timer) the BQL is taken
 * before it, and they are told (settle). So bytes that a kernel writes while it polls
 * go out without the BQL. Who polls looks at LSR before each byte: that takes no lock
 * at all, unless it has an error to clear.
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

/* Stands for the lock of any port. */
struct lock_class serial_locks;

struct serial {
	struct lock lock;
	u8 ier GUARDED_BY(serial_locks), fcr GUARDED_BY(serial_locks);
	u8 lcr GUARDED_BY(serial_locks), mcr GUARDED_BY(serial_locks);
	u8 msr GUARDED_BY(serial_locks), scr GUARDED_BY(serial_locks);
	u8 lsr;                  /* _Atomic; written under the lock          */
	u16 divisor GUARDED_BY(serial_locks);
	/* THR became empty, IIR did not say so yet */
	bool thre_pending GUARDED_BY(serial_locks);
	/* bytes lie in the FIFO, below the trigger */
	bool timed_out GUARDED_BY(serial_locks);
	u8 fifo[FIFO_SIZE] GUARDED_BY(serial_locks);
	u8 fifo_first GUARDED_BY(serial_locks), fifo_count GUARDED_BY(serial_locks);
	/* what others have been told, and what they are still to be */
	bool line GUARDED_BY(serial_locks);      /* level of irq             */
	bool pulse GUARDED_BY(serial_locks);     /* it is to fall meanwhile  */
	bool restart GUARDED_BY(serial_locks);   /* the timer is             */
	bool takes_more GUARDED_BY(serial_locks);/* input may come again     */
	struct irq_line irq;
	struct chardev *chr;
	struct timer timer GUARDED_BY(bql);
};

/* The lock and the class that stands for it, for clang. */
static UNCHECKED void serial_acquire(struct serial *s) ACQUIRE(serial_locks)
{
	lock_acquire(&s->lock);
}

static UNCHECKED void serial_release(struct serial *s) RELEASE(serial_locks)
{
	lock_release(&s->lock);
}

static void set_lsr(struct serial *s, u8 v) REQUIRES(serial_locks)
{
	__atomic_store_n(&s->lsr, v, __ATOMIC_RELEASE);
}

/* -- interrupts ----------------------------------------------------------------- */

static bool fifo_on(const struct serial *s) REQUIRES(serial_locks)
{
	return s->fcr & FCR_ENABLE;
}

static int trigger_level(const struct serial *s) REQUIRES(serial_locks)
{
	static const u8 level[4] = { 1, 4, 8, 14 };

	return fifo_on(s) ? level[s->fcr >> 6] : 1;
}

/* The pending interrupt of highest priority, as IIR codes it. */
static u8 cause(const struct serial *s) REQUIRES(serial_locks)
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

/* -- what concerns others: interrupt, timer, input ------------------------------ */

static bool concerns_others(const struct serial *s) REQUIRES(serial_locks)
{
	return s->pulse || s->restart || s->takes_more || s->line != (cause(s) != IIR_NONE);
}

static void set_line(struct serial *s, bool level) REQUIRES(bql, serial_locks)
{
	s->line = level;
	irq_set(&s->irq, level);
}

static void settle(struct serial *s) REQUIRES(bql, serial_locks)
{
	bool level = cause(s) != IIR_NONE;

	if (s->pulse)
		set_line(s, false);
	if (s->restart && fifo_on(s) && s->fifo_count)
		timer_mod_ns(&s->timer, qemu_clock_get_ns() + TIMEOUT_NS);
	else if (s->restart)
		timer_del(&s->timer);
	s->pulse = s->restart = false;
	if (level != s->line)
		set_line(s, level);
}

static void tell_others(struct serial *s) REQUIRES(bql)
{
	bool more;

	serial_acquire(s);
	settle(s);
	more = s->takes_more;
	s->takes_more = false;
	serial_release(s);
	if (more)
		chardev_accept_input(s->chr);
}

/* The end of an access. UNCHECKED: the BQL is taken on a condition, unless the access
 * came with it. */
static UNCHECKED void release_and_tell(struct serial *s) RELEASE(serial_locks)
{
	bool others = concerns_others(s), held = bql_held();

	serial_release(s);
	if (!others)
		return;
	if (!held)
		bql_lock();
	tell_others(s);
	if (!held)
		bql_unlock();
}

/* -- receiving -------------------------------------------------------------------- */

static void watch_timeout(struct serial *s) REQUIRES(serial_locks)
{
	s->timed_out = false;
	s->restart = true;
}

static void timeout_is_due(void *opaque) REQUIRES(bql)
{
	struct serial *s = opaque;

	serial_acquire(s);
	s->timed_out = s->fifo_count != 0;
	settle(s);
	serial_release(s);
}

static int room(const struct serial *s) REQUIRES(serial_locks)
{
	return (fifo_on(s) ? FIFO_SIZE : 1) - s->fifo_count;
}

static void receive_byte(struct serial *s, u8 byte) REQUIRES(serial_locks)
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
	int n;

	serial_acquire(s);
	n = s->mcr & MCR_LOOP ? 0 : MAX(room(s), 0);
	serial_release(s);
	return n;
}

static void receive(void *opaque, const u8 *buf, int n) REQUIRES(bql)
{
	struct serial *s = opaque;

	serial_acquire(s);
	for (int i = 0; i < n; i++)
		receive_byte(s, buf[i]);
	watch_timeout(s);
	settle(s);
	serial_release(s);
}

static void clear_fifo(struct serial *s) REQUIRES(serial_locks)
{
	s->fifo_first = s->fifo_count = 0;
	set_lsr(s, s->lsr & ~(LSR_DR | LSR_BI));
	s->takes_more = true;
	watch_timeout(s);
}

static u8 read_rbr(struct serial *s) REQUIRES(serial_locks)
{
	u8 v = s->fifo[s->fifo_first];

	if (s->fifo_count) {
		s->fifo_first = (s->fifo_first + 1) % FIFO_SIZE;
		s->fifo_count--;
	}
	if (!s->fifo_count) {
		set_lsr(s, s->lsr & ~LSR_DR);
		s->takes_more = true;
	}
	watch_timeout(s);
	return v;
}

/* -- sending, modem lines ------------------------------------------------------------ */

/* THR is full for no time: the interrupt goes away and comes again, which is
 * an edge for the interrupt controller. True: the byte is to be sent. */
static bool write_thr(struct serial *s, u8 byte) REQUIRES(serial_locks)
{
	s->thre_pending = false;
	s->pulse |= s->line && cause(s) == IIR_NONE;
	s->thre_pending = true;
	if (!(s->mcr & MCR_LOOP))
		return true;
	receive_byte(s, byte);
	watch_timeout(s);
	return false;
}

static void set_modem_lines(struct serial *s) REQUIRES(serial_locks)
{
	u8 old = s->msr, lines = MSR_CONNECTED, m = s->mcr;

	if (m & MCR_LOOP)
		lines = (m & MCR_DTR ? MSR_DSR : 0) | (m & MCR_RTS ? MSR_CTS : 0) |
			(m & MCR_OUT1 ? MSR_RI : 0) | (m & MCR_OUT2 ? MSR_DCD : 0);
	s->msr = lines | (old & MSR_DELTA) | ((old ^ lines) >> 4 & ~MSR_TERI);
	if ((old & ~lines) & MSR_RI)          /* RI counts when it falls     */
		s->msr |= MSR_TERI;
}

static void write_mcr(struct serial *s, u8 val) REQUIRES(serial_locks)
{
	s->takes_more |= (s->mcr & ~val & MCR_LOOP) != 0;
	s->mcr = val & MCR_WRITABLE;
	set_modem_lines(s);
}

/* A break in loopback arrives as a zero byte. */
static void write_lcr(struct serial *s, u8 val) REQUIRES(serial_locks)
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

static void write_ier(struct serial *s, u8 val) REQUIRES(serial_locks)
{
	if (val & ~s->ier & IER_THRE)
		s->thre_pending = true;
	s->ier = val & 0x0f;
}

static void write_fcr(struct serial *s, u8 val) REQUIRES(serial_locks)
{
	bool clear = (val ^ s->fcr) & FCR_ENABLE || val & FCR_CLEAR_RX;

	s->fcr = val & FCR_ENABLE ? val & FCR_KEPT : 0;
	if (clear)
		clear_fifo(s);
}

static u8 read_iir(struct serial *s) REQUIRES(serial_locks)
{
	u8 v = cause(s);

	if (v == IIR_THRE)
		s->thre_pending = false;
	return v | (fifo_on(s) ? IIR_FIFO : 0);
}

static u8 read_lsr(struct serial *s) REQUIRES(serial_locks)
{
	u8 v = s->lsr;

	set_lsr(s, v & ~LSR_ERRORS);
	return v | LSR_THRE | LSR_TEMT;
}

static u8 read_msr(struct serial *s) REQUIRES(serial_locks)
{
	u8 v = s->msr;

	s->msr &= ~MSR_DELTA;
	return v;
}

/* LSR and MSR are for factory tests only, says the data sheet. True: a byte is to be sent. */
static bool write_register(struct serial *s, unsigned reg, u8 v) REQUIRES(serial_locks)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case RBR_THR:
		if (!dlab)
			return write_thr(s, v);
		s->divisor = (s->divisor & 0xff00) | v;
		break;
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
		break;
	}
	return false;
}

static u8 read_register(struct serial *s, unsigned reg) REQUIRES(serial_locks)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
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
	case LSR:
		return read_lsr(s);
	case MSR:
		return read_msr(s);
	default:
		return s->scr;
	}
}

static void serial_write(void *opaque, gpa addr, u64 val, unsigned size)
{
	struct serial *s = opaque;
	u8 byte = val;
	bool send;

	(void)size;
	serial_acquire(s);
	send = write_register(s, addr & 7, byte);
	release_and_tell(s);
	if (send)
		chardev_post(s->chr, &byte, 1);
}

static u64 serial_read(void *opaque, gpa addr, unsigned size)
{
	struct serial *s = opaque;
	u8 lsr = __atomic_load_n(&s->lsr, __ATOMIC_ACQUIRE), v;

	(void)size;
	if ((addr & 7) == LSR && !(lsr & LSR_ERRORS))
		return lsr | LSR_THRE | LSR_TEMT;
	serial_acquire(s);
	v = read_register(s, addr & 7);
	release_and_tell(s);
	return v;
}

static const struct memory_region_ops serial_ops = { serial_read, serial_write, 1, 1 };

/* -- life ------------------------------------------------------------------------------------ */

void serial_reset(void *opaque)
{
	struct serial *s = opaque;

	serial_acquire(s);
	s->ier = s->fcr = s->lcr = s->scr = 0;
	set_lsr(s, 0);
	s->mcr = MCR_OUT2;
	s->divisor = 12;                      /* 9600 baud                   */
	s->msr = MSR_CONNECTED;
	s->thre_pending = false;
	clear_fifo(s);
	serial_release(s);
	tell_others(s);
}

struct serial *serial_new(struct memory_region *io, u16 iobase,
			  const struct irq_line *irq, struct chardev *chr)
{
	struct serial *s = calloc(1, sizeof(*s));

	if (!s)
		die("out of memory");
	lock_init(&s->lock, "serial", RANK_SERIAL);
	s->irq = *irq;
	s->chr = chr;
	timer_init_ns(&s->timer, timeout_is_due, s);
	memory_region_clear_global_locking(ports_map(io, "serial", iobase, 8, &serial_ops, s));
	chardev_set_reader(chr, can_receive, receive, s);
	serial_reset(s);
	return s;
}
