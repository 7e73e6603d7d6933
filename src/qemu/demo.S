/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/demo.S - the guest that runs when no -kernel is given.
 *
 * DEMO_ELF is the path of the multiboot image the Makefile builds from
 * tests/guests/demo*; without it the image is empty. */
	.section .rodata
	.globl demo_guest_start, demo_guest_end
	.balign 16
demo_guest_start:
#ifdef DEMO_ELF
	.incbin DEMO_ELF
#endif
demo_guest_end:
	.byte 0

	.section .note.GNU-stack, "", @progbits
