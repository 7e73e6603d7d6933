# SPDX-License-Identifier: GPL-2.0-or-later
#
# Read by the scripts of tests/boot and by tests/bench/linux: where the
# guests and the emulator are, and the kernel's command line. The reader
# sets $top, the top of the tree.

guests=$top/build/guests
SMEW=${SMEW:-$top/build/rel/smew}

# A first argument with a slash in it names the emulator.
case ${1-} in
*/*)
	SMEW=$1
	shift
	;;
esac

# What Linux has to be told on a PC without ACPI, APIC and PCI.
pc_args='acpi=off nolapic noapic pci=off'

# Without this it spends time on waiting for ISA plug and play cards and on
# the self-tests of ciphers that nobody uses here.
quick_args='noisapnp pnpbios=off cryptomgr.notests=1'

# The devices of every run: the serial line is stdin and stdout.
machine='-display none -monitor none -no-reboot -serial stdio'

# More options of smew, for a while.
with=

# linux MEGABYTES KERNEL-ARGUMENT...: boots Linux, its console is the serial
# line. $SMEW may hold options as well, so it is split.
# shellcheck disable=SC2086,SC2120
linux()
{
	megabytes=$1
	shift
	$prefix $SMEW $machine $with -m "$megabytes" -kernel "$guests/vmlinuz" \
		-initrd "$guests/initramfs.gz" \
		-append "console=ttyS0 $pc_args $*"
}

# linux_smp COUNT MODE KERNEL-ARGUMENT...: the same with several processors, and
# with Debian's kernel for these; it finds them by ACPI.
# shellcheck disable=SC2086
linux_smp()
{
	count=$1 mode=$2
	shift 2
	$prefix $SMEW $machine -m 256 -smp "$count" \
		-accel "tcg,thread=$mode" -kernel "$guests/vmlinuz-pae" \
		-initrd "$guests/initramfs.gz" \
		-append "console=ttyS0 $quick_args $*"
}
prefix=
