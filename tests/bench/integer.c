/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Integer workloads: what compilers make of ordinary C. Sizes count rounds.
 */
#include "work.h"

/* -- sort: recursive quicksort of 16384 numbers --------------------------- */

#define SORT_N 16384

static void swap(u32 *a, u32 *b)
{
	u32 t = *a;

	*a = *b;
	*b = t;
}

static void quicksort(u32 *a, int lo, int hi)
{
	u32 pivot;
	int i = lo, j = hi;

	if (lo >= hi)
		return;
	pivot = a[lo + (hi - lo) / 2];
	while (i <= j) {
		while (a[i] < pivot)
			i++;
		while (a[j] > pivot)
			j--;
		if (i <= j)
			swap(&a[i++], &a[j--]);
	}
	quicksort(a, lo, j);
	quicksort(a, i, hi);
}

static u32 work_sort(u32 size)
{
	u32 *a = (u32 *)heap, state = 1, sum = 0;

	while (size--) {
		for (int i = 0; i < SORT_N; i++)
			a[i] = lcg(&state);
		quicksort(a, 0, SORT_N - 1);
		for (int i = 1; i < SORT_N; i++)
			if (a[i - 1] > a[i])
				work_failed("not sorted");
		sum = mix(sum, a[SORT_N / 3]);
	}
	return sum;
}

/* -- sha256: FIPS 180-4 over 64 KB ---------------------------------------- */

static const u32 sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static inline u32 ror(u32 x, int n)
{
	return (x >> n) | (x << (32 - n));
}

static void sha_schedule(u32 w[64], const u8 *block)
{
	for (int i = 0; i < 16; i++, block += 4)
		w[i] = (u32)block[0] << 24 | (u32)block[1] << 16 |
		       (u32)block[2] << 8 | block[3];
	for (int i = 16; i < 64; i++) {
		u32 a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + w[i - 7] +
		       (ror(a, 7) ^ ror(a, 18) ^ (a >> 3)) +
		       (ror(b, 17) ^ ror(b, 19) ^ (b >> 10));
	}
}

static void sha_block(u32 h[8], const u8 *block)
{
	u32 w[64], s[8];

	sha_schedule(w, block);
	for (int i = 0; i < 8; i++)
		s[i] = h[i];
	for (int i = 0; i < 64; i++) {
		u32 e = s[4], a = s[0];
		u32 t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
			 ((e & s[5]) ^ (~e & s[6])) + sha_k[i] + w[i];
		u32 t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
			 ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (int i = 0; i < 8; i++)
		h[i] += s[i];
}

static u32 work_sha256(u32 size)
{
	u32 h[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		     0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	u32 state = 2;

	for (int i = 0; i < 65536; i++)
		heap[i] = (u8)lcg(&state);
	while (size--)
		for (int i = 0; i < 65536; i += 64)
			sha_block(h, heap + i);
	return h[0] ^ h[7];
}

/* -- table: a hash table with open addressing, inserts and look-ups -------- */

#define SLOTS 8192u

static u32 slot_of(const u32 *table, u32 key)
{
	u32 i = (key * 2654435761u) >> 19;

	while (table[i] && table[i] != key)
		i = (i + 1) % SLOTS;
	return i;
}

static u32 work_table(u32 size)
{
	u32 *table = (u32 *)heap, state = 3, sum = 0;

	while (size--) {
		for (u32 i = 0; i < SLOTS; i++)
			table[i] = 0;
		for (u32 i = 0; i < SLOTS / 2; i++) {
			u32 key = (lcg(&state) & 0x1fff) + 1;

			table[slot_of(table, key)] = key;
		}
		for (u32 key = 1; key <= 0x2000; key++)
			sum += table[slot_of(table, key)] == key;
	}
	return sum;
}

/* -- lz: compress 64 KB of made-up text by LZ77, and back ------------------ */

#define LZ_N 65536
#define LZ_MAX 18		/* longest match: 4 bits of length, plus 3 */
#define LZ_WINDOW 4095

struct lz {
	const u8 *in;
	u8 *out;
	u8 *flags;		/* the byte that says which items are matches */
	int nr;			/* items so far */
	int head[4096];		/* latest position of a hash of 3 bytes, + 1 */
};

static void lz_text(u8 *to)
{
	static const char *const words[] = {
		"page", "table", "entry", "the", "of", "segment", "interrupt",
		"gate", "a", "descriptor", "is", "loaded", "from", "stack",
		"task", "privilege",
	};
	u32 state = 4;
	int n = 0;

	while (n < LZ_N) {
		const char *w = words[lcg(&state) & 15];

		while (*w && n < LZ_N)
			to[n++] = (u8)*w++;
		if (n < LZ_N)
			to[n++] = ' ';
	}
}

static void lz_item(struct lz *lz, int match)
{
	if (lz->nr++ % 8 == 0) {
		lz->flags = lz->out++;
		*lz->flags = 0;
	}
	*lz->flags = (u8)(*lz->flags << 1 | match);
}

static int match_length(const u8 *a, const u8 *b, int max)
{
	int n = 0;

	while (n < max && a[n] == b[n])
		n++;
	return n;
}

/* Emits one literal or match; returns the number of bytes it stands for. */
static int lz_step(struct lz *lz, int pos)
{
	const u8 *p = lz->in + pos;
	u32 h = ((u32)p[0] << 16 | (u32)p[1] << 8 | p[2]) * 2654435761u >> 20;
	int from = lz->head[h] - 1, max = LZ_N - pos, n = 0;

	lz->head[h] = pos + 1;
	if (max > LZ_MAX)
		max = LZ_MAX;
	if (from >= 0 && pos - from <= LZ_WINDOW)
		n = match_length(lz->in + from, p, max);
	lz_item(lz, n >= 3);
	if (n < 3) {
		*lz->out++ = *p;
		return 1;
	}
	*lz->out++ = (u8)((pos - from) & 255);
	*lz->out++ = (u8)((pos - from) >> 8 << 4 | (n - 3));
	return n;
}

static int lz_compress(struct lz *lz, const u8 *in, u8 *out)
{
	int pos = 0;

	lz->in = in;
	lz->out = out;
	lz->nr = 0;
	for (int i = 0; i < 4096; i++)
		lz->head[i] = 0;
	while (pos < LZ_N)
		pos += lz_step(lz, pos);
	while (lz->nr % 8)
		lz_item(lz, 0);
	return (int)(lz->out - out);
}

static void lz_expand(const u8 *in, u8 *out)
{
	u8 *end = out + LZ_N;
	int flags = 0, left = 0;

	while (out < end) {
		if (!left--) {
			flags = *in++;
			left = 7;
		}
		if (flags & 128) {
			int back = in[0] | in[1] >> 4 << 8;
			int n = (in[1] & 15) + 3;

			in += 2;
			for (; n; n--, out++)
				*out = out[-back];
		} else {
			*out++ = *in++;
		}
		flags <<= 1;
	}
}

static u32 work_lz(u32 size)
{
	struct lz *lz = (struct lz *)heap;
	u8 *text = heap + 65536, *packed = heap + 4 * 65536;
	u8 *back = heap + 8 * 65536;
	u32 sum = 0;

	lz_text(text);
	while (size--) {
		int n = lz_compress(lz, text, packed);

		lz_expand(packed, back);
		if (match_length(text, back, LZ_N) != LZ_N)
			work_failed("lz: not what went in");
		sum = mix(sum, (u32)n);
		text[size % LZ_N] ^= 1;
	}
	return sum;
}

/* -- interp: a bytecode machine, one indirect jump an instruction ---------- */

enum { OP_LI, OP_MOV, OP_ADD, OP_SUB, OP_AND, OP_SHR, OP_JZ, OP_JNZ, OP_JMP,
       OP_ST, OP_HALT };

struct code {
	u8 op, a, b, c;
};

/* The lengths of the 3n+1 sequences from r0 down to 1, summed into r2. */
static const struct code collatz[] = {
	{ OP_LI, 2, 0, 0 },    { OP_LI, 3, 1, 0 },     /*  0 */
	{ OP_MOV, 1, 0, 0 },                           /*  2: next start */
	{ OP_AND, 4, 1, 3 },   { OP_JZ, 4, 9, 0 },     /*  3: next step */
	{ OP_ADD, 4, 1, 1 },   { OP_ADD, 1, 4, 1 },    /*  5: 3n + 1 */
	{ OP_ADD, 1, 1, 3 },   { OP_JMP, 0, 10, 0 },
	{ OP_SHR, 1, 1, 3 },                           /*  9: n / 2 */
	{ OP_ADD, 2, 2, 3 },   { OP_SUB, 4, 1, 3 },    /* 10 */
	{ OP_JNZ, 4, 3, 0 },   { OP_ST, 0, 2, 0 },     /* 12 */
	{ OP_SUB, 0, 0, 3 },   { OP_JNZ, 0, 2, 0 },    /* 14 */
	{ OP_HALT, 0, 0, 0 },
};

static u32 interpret(const struct code *code, u32 r0, u32 *memory)
{
	static const void *const labels[] = {
		&&li, &&mov, &&add, &&sub, &&and, &&shr, &&jz, &&jnz, &&jmp,
		&&st, &&halt,
	};
	u32 r[8] = { r0 };
	const struct code *pc = code;

#define NEXT goto *labels[pc->op]
	NEXT;
li:	r[pc->a] = pc->b | (u32)pc->c << 8; pc++; NEXT;
mov:	r[pc->a] = r[pc->b]; pc++; NEXT;
add:	r[pc->a] = r[pc->b] + r[pc->c]; pc++; NEXT;
sub:	r[pc->a] = r[pc->b] - r[pc->c]; pc++; NEXT;
and:	r[pc->a] = r[pc->b] & r[pc->c]; pc++; NEXT;
shr:	r[pc->a] = r[pc->b] >> (r[pc->c] & 31); pc++; NEXT;
jz:	pc = r[pc->a] ? pc + 1 : code + pc->b; NEXT;
jnz:	pc = r[pc->a] ? code + pc->b : pc + 1; NEXT;
jmp:	pc = code + pc->b; NEXT;
st:	memory[r[pc->a] & 1023] = r[pc->b]; pc++; NEXT;
halt:	return r[2];
#undef NEXT
}

static u32 work_interp(u32 size)
{
	u32 sum = 0;

	while (size--)
		sum = mix(sum, interpret(collatz, 1000 + size % 8,
					 (u32 *)heap));
	return sum;
}

/* -- fib: calls and returns ------------------------------------------------ */

static __attribute__((noinline, noclone, optimize("no-optimize-sibling-calls")))
u32 fib(u32 n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static u32 work_fib(u32 size)
{
	u32 sum = 0;

	while (size--)
		sum = mix(sum, fib(20 + size % 4));
	return sum;
}

/* -- calls: function pointers of eight kinds of object ---------------------- */

struct shape {
	u32 (*measure)(const struct shape *s, u32 x);
	u32 a, b;
};

static u32 s_sum(const struct shape *s, u32 x) { return s->a + s->b + x; }
static u32 s_area(const struct shape *s, u32 x) { return s->a * s->b ^ x; }
static u32 s_less(const struct shape *s, u32 x) { return x - s->a; }
static u32 s_xor(const struct shape *s, u32 x) { return x ^ s->b; }
static u32 s_turn(const struct shape *s, u32 x) { return ror(x, 7) + s->a; }
static u32 s_max(const struct shape *s, u32 x) { return x > s->a ? x : s->a; }
static u32 s_and(const struct shape *s, u32 x) { return (x & s->a) + s->b; }
static u32 s_not(const struct shape *s, u32 x) { return ~x + s->a; }

#define SHAPES 1024

static u32 work_calls(u32 size)
{
	static u32 (*const kinds[])(const struct shape *, u32) = {
		s_sum, s_area, s_less, s_xor, s_turn, s_max, s_and, s_not,
	};
	struct shape *shapes = (struct shape *)heap;
	u32 state = 5, x = 0;

	for (int i = 0; i < SHAPES; i++) {
		shapes[i].measure = kinds[lcg(&state) & 7];
		shapes[i].a = lcg(&state);
		shapes[i].b = lcg(&state);
	}
	while (size--)
		for (int i = 0; i < SHAPES; i++)
			x = shapes[i].measure(&shapes[i], x);
	return x;
}

/* -- muldiv: products, quotients, remainders; a modular power --------------- */

static u32 mulmod(u32 a, u32 b, u32 m)
{
	u32 lo, hi, q, r;

	__asm__("mull %3" : "=a"(lo), "=d"(hi) : "0"(a), "rm"(b) : "cc");
	__asm__("divl %4" : "=a"(q), "=d"(r)
		: "0"(lo), "1"(hi), "rm"(m) : "cc");
	return r;
}

static u32 powmod(u32 base, u32 exponent, u32 m)
{
	u32 r = 1;

	for (; exponent; exponent >>= 1) {
		if (exponent & 1)
			r = mulmod(r, base, m);
		base = mulmod(base, base, m);
	}
	return r;
}

static u32 work_muldiv(u32 size)
{
	u32 state = 6, sum = 0;

	while (size--) {
		for (int i = 0; i < 1000; i++) {
			u32 a = lcg(&state) + 1, b = (lcg(&state) & 4095) + 1;
			i32 c = (i32)(a << 8) / (i32)b;

			sum += a / b + a % b + (u32)c;
		}
		sum = mix(sum, powmod(lcg(&state), 0xfffffffa, 0xfffffffb));
	}
	return sum;
}

/* -- crc: CRC-32 by a table, byte by byte ----------------------------------- */

static u32 work_crc(u32 size)
{
	u32 *table = (u32 *)heap, crc = ~0u, state = 7;
	u8 *data = heap + 4096;

	for (u32 i = 0; i < 256; i++) {
		u32 c = i;

		for (int k = 0; k < 8; k++)
			c = c & 1 ? 0xedb88320 ^ (c >> 1) : c >> 1;
		table[i] = c;
	}
	for (int i = 0; i < 65536; i++)
		data[i] = (u8)lcg(&state);
	while (size--)
		for (int i = 0; i < 65536; i++)
			crc = table[(crc ^ data[i]) & 255] ^ (crc >> 8);
	return ~crc;
}

/* -- words: a byte-wise state machine over text ----------------------------- */

static int is_letter(u8 c)
{
	c |= 0x20;
	return c >= 'a' && c <= 'z';
}

static u32 work_words(u32 size)
{
	u8 *text = heap;
	u32 words = 0, longest = 0, vowels = 0;

	lz_text(text);
	while (size--) {
		u32 length = 0;

		for (int i = 0; i < LZ_N; i++) {
			u8 c = text[i];

			if (!is_letter(c)) {
				words += length != 0;
				length = 0;
				continue;
			}
			if (++length > longest)
				longest = length;
			vowels += c == 'a' || c == 'e' || c == 'i' ||
				  c == 'o' || c == 'u';
		}
	}
	return words * 31 + vowels * 7 + longest;
}

/* -- bits: shifts, scans, byte swaps, conditional moves --------------------- */

/* gcc would make a branch of it that no processor can predict. */
static inline u32 smaller(u32 a, u32 b)
{
	__asm__("cmp %1, %0\n\t"
		"cmova %1, %0" : "+r"(a) : "r"(b) : "cc");
	return a;
}

static u32 work_bits(u32 size)
{
	u32 state = 8, sum = 0;

	while (size--)
		for (int i = 0; i < 1000; i++) {
			u32 x = lcg(&state) | 1u << (i & 31), y = x;

			y = y - ((y >> 1) & 0x55555555);
			y = (y & 0x33333333) + ((y >> 2) & 0x33333333);
			y = ((y + (y >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
			sum += (u32)__builtin_ctz(x) + y;
			sum = ror(sum, (int)(x & 15) + 1);
			sum ^= __builtin_bswap32(x) << (y & 7);
			sum += smaller(sum, x);
		}
	return sum;
}

const struct workload integer_works[] = {
	{ "sort", work_sort },		{ "sha256", work_sha256 },
	{ "table", work_table },	{ "lz", work_lz },
	{ "interp", work_interp },	{ "fib", work_fib },
	{ "calls", work_calls },	{ "muldiv", work_muldiv },
	{ "crc", work_crc },		{ "words", work_words },
	{ "bits", work_bits },		{ 0, 0 },
};
