# SPDX-License-Identifier: GPL-2.0-or-later
#
# Read by tests/bench/run and tests/bench/linux: builds into build/bench/ what
# they need. The reader sets $top, the top of the tree, and $out.

# The guest is a Pentium II without MMX and SSE, but for sse.c; the native program is built
# from the same objects.
bench_flags='-m32 -std=gnu11 -O2 -march=pentium2 -mno-mmx -mno-sse
	-mfpmath=387 -ffreestanding -fno-pic -fno-pie -fno-stack-protector
	-fno-asynchronous-unwind-tables -fno-tree-loop-distribute-patterns
	-fcf-protection=none -fno-strict-aliasing
	-Wall -Wextra -Wmissing-prototypes -Werror'
bench_link='-m32 -nostdlib -static -no-pie -Wl,--build-id=none
	-Wl,--no-warn-rwx-segments'

build_measure()
{
	mkdir -p "$out"
	gcc -O2 -Wall -Wextra -Werror -o "$out/measure" \
		"$top/tests/bench/measure.c"
}

# shellcheck disable=SC2086
build_guest()
(
	set -e
	src=$top/tests/bench
	shared='text integer memory x87 sse'
	objects=
	for name in $shared guest system native; do
		[ $name = sse ] && sse='-msse2 -mfpmath=sse' || sse=
		gcc $bench_flags $sse -c "$src/$name.c" -o "$out/$name.o"
	done
	gcc -m32 -c "$src/boot.S" -o "$out/boot.o"
	for name in $shared; do
		objects="$objects $out/$name.o"
	done
	gcc $bench_link -Wl,-T,"$src/link.ld" -o "$out/guest.elf" \
		"$out/boot.o" "$out/guest.o" "$out/system.o" $objects
	gcc $bench_link -o "$out/native" "$out/native.o" $objects
)

# guest_with_library NAME: tests/bench/NAME.c over the library of tests/guests.
guest_with_library()
{
	lib=$top/tests/guests
	mkdir -p "$out"
	gcc -m32 -march=i686 -O2 -Wall -Wextra -Werror -ffreestanding -nostdlib \
		-fno-pie -no-pie -static -fno-stack-protector \
		-mgeneral-regs-only -fno-asynchronous-unwind-tables \
		-fcf-protection=none -fno-builtin -fno-strict-aliasing \
		-Wno-array-bounds -fno-delete-null-pointer-checks \
		-Wl,--build-id=none -Wl,--no-warn-rwx-segments \
		-Wl,--defsym=image_base=0x200000 -Wl,-T,"$lib/guest.ld" \
		-I"$lib" -o "$out/$1.elf" "$lib/start.S" "$lib/guest.c" \
		"$lib/smp.c" "$lib/ap.S" "$top/tests/bench/$1.c"
}
