# SPDX-License-Identifier: GPL-2.0-or-later
#
# Read by tests/cli/run: makes small kernels, right and wrong ones, with
# nothing but printf.

# byte N..., word N..., long N...: little-endian numbers.
byte()
{
	for n; do
		printf "\\$(printf %o $((n & 255)))"
	done
}

word()
{
	for n; do
		byte "$n" $((n >> 8))
	done
}

long()
{
	for n; do
		byte "$n" $((n >> 8)) $((n >> 16)) $((n >> 24))
	done
}

# hex "b0 10 e6 f4": bytes as an assembler's listing has them.
hex()
{
	for n in $1; do
		byte 0x"$n"
	done
}

zeroes()
{
	dd if=/dev/zero bs=1 count="$1" 2>/dev/null
}

# pad FILE SIZE: zeroes at its end.
pad()
{
	dd if=/dev/null of="$1" bs=1 seek="$2" 2>/dev/null
}

# poke FILE OFFSET "HEX": change bytes in the middle.
poke()
{
	hex "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# aout FILE "HEX CODE" [FLAGS HEADER LOAD LOAD-END BSS-END ENTRY]: a multiboot
# image with addresses in its header; the code stands at 32 (100020h).
aout()
{
	file=$1
	code=$2
	flags=${3:-0x10000}
	{
		long 0x1badb002 "$flags" $((-(0x1badb002 + flags)))
		long "${4:-0x100000}" "${5:-0x100000}" "${6:-0}" "${7:-0}" \
			"${8:-0x100020}"
		hex "$code"
	} >"$file"
}

# elf FILE "HEX CODE" [NAME=VALUE...]: an ELF file with a multiboot header and
# the code 12 bytes after it, in one segment. The names are the variables below.
elf()
{
	file=$1
	code=$2
	shift 2
	class=1 data=1 type=2 machine=3 entry=0x10000c phoff=52 phentsize=32
	phnum=1 ptype=1 offset=84 vaddr=0x100000 paddr=0x100000 filesz=64
	memsz=4096 flags=3 magic=0x1badb002
	for set; do
		eval "$set"
	done
	{
		hex "7f 45 4c 46"
		byte "$class" "$data" 1
		zeroes 9
		word "$type" "$machine"
		long 1 "$entry" "$phoff" 0 0
		word 52 "$phentsize" "$phnum" 40 0 0
		long "$ptype" "$offset" "$vaddr" "$paddr" "$filesz" "$memsz" \
			7 4096
		long "$magic" "$flags" $((-(magic + flags)))
		hex "$code"
	} >"$file"
	pad "$file" 148
}

# elf64 FILE "HEX CODE" [ENTRY]: the same as a 64-bit file.
elf64()
{
	{
		hex "7f 45 4c 46 02 01 01"
		zeroes 9
		word 2 62
		long 1 "${3:-0x10000c}" "${4:-0}" 64 0 0 0 0
		word 64 56 1 64 0 0
		long 1 5 120 0 0x100000 0 0x100000 0 64 0 4096 0 4096 0
		long 0x1badb002 3 $((-(0x1badb002 + 3)))
		hex "$2"
	} >"$1"
	pad "$1" 184
}

# bzimage FILE "HEX CODE" [NAME=VALUE...]: one setup sector, 512 bytes of
# protected-mode code.
bzimage()
{
	file=$1
	code=$2
	shift 2
	sects=1 syssize=32 version=0x20c loadflags=1 initrd_max=0x37ffffff
	cmdline_size=255 pref=0x100000 init_size=4096 magic="48 64 72 53"
	for set; do
		eval "$set"
	done
	{
		zeroes 497
		byte "$sects"
		word 0
		long "$syssize"
		word 0 0 0 0xaa55			# 1f8..200
		hex "eb 66 $magic"			# 200..206
		word "$version"
		zeroes 9				# 208..211
		byte "$loadflags"
		word 0
		long 0x100000				# 214
		zeroes 20				# 218..22c
		long "$initrd_max" 0x1000		# 22c, 230
		byte 0 0
		word 0
		long "$cmdline_size"			# 238
		zeroes 28				# 23c..258
		long "$pref" 0 "$init_size"		# 258, 25c, 260
		zeroes 412				# 264..400
		hex "$code"
	} >"$file"
	pad "$file" 1536
}
