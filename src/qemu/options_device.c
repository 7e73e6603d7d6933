/* SPDX-License-Identifier: GPL-2.0-or-later */
/* src/qemu/options_device.c - options that make devices: -serial, -chardev,
 * -debugcon, -device, -global. */
#include <stdio.h>
#include <string.h>

#include "env/log.h"
#include "qemu/options.h"
#include "qemu/optparse.h"

/* -- where serial ports lead ------------------------------------------------------ */

enum spec_kind { SPEC_OK, SPEC_ABSENT, SPEC_NOWHERE };

/* A name that ends in ':' takes an argument. */
static const struct spec { const char *name; enum spec_kind kind; } specs[] = {
	{ "stdio", SPEC_OK }, { "mon:stdio", SPEC_OK }, { "file:", SPEC_OK },
	{ "null", SPEC_OK }, { "none", SPEC_OK }, { "chardev:", SPEC_OK },
	{ "vc", SPEC_NOWHERE }, { "vc:", SPEC_NOWHERE },
	{ "pty", SPEC_ABSENT }, { "tcp:", SPEC_ABSENT },
	{ "telnet:", SPEC_ABSENT }, { "unix:", SPEC_ABSENT },
	{ "udp:", SPEC_ABSENT }, { "pipe:", SPEC_ABSENT },
	{ "msmouse", SPEC_ABSENT }, { "websocket:", SPEC_ABSENT },
	{ "/dev/", SPEC_ABSENT },
};

static const struct spec *spec_find(const char *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(specs); i++) {
		size_t n = strlen(specs[i].name);
		char last = specs[i].name[n - 1];
		bool more = last == ':' || last == '/';

		if (!strncmp(s, specs[i].name, n) &&
		    (more ? s[n] != 0 : !s[n] || s[n] == ','))
			return &specs[i];
	}
	return NULL;
}

/* The spec as chardev_open() takes it; NULL with o->err set. */
static const char *spec_check(struct options *o, const char *name, const char *s)
{
	const struct spec *k = spec_find(s);

	if (!k) {
		option_unknown(o, name, "destination", s, specs,
			       ARRAY_SIZE(specs), sizeof(specs[0]));
		return NULL;
	}
	if (k->kind == SPEC_OK)
		return s;
	if (k->kind == SPEC_NOWHERE) {
		option_ignored(o, name, s);
		return "null";
	}
	option_fail(o, name, "%.60s: not supported yet; stdio, mon:stdio, "
		    "file:PATH, null and none are", s);
	return NULL;
}

enum options_result opt_serial(struct options *o, const char *name,
			       const char *arg)
{
	const char *spec = spec_check(o, name, arg);

	if (!spec)
		return OPTIONS_ERROR;
	if (o->n_serials == MAX_SERIAL)
		return option_fail(o, name, "a PC has %d serial ports",
				   MAX_SERIAL);
	machine_config.serial[o->n_serials++] = spec;
	return OPTIONS_RUN;
}

enum options_result opt_debugcon(struct options *o, const char *name,
				 const char *arg)
{
	const char *spec = spec_check(o, name, arg);

	machine_config.debugcon = spec;
	return spec ? OPTIONS_RUN : OPTIONS_ERROR;
}

/* -- -chardev BACKEND,id=ID,... ------------------------------------------------------ */

static char *spec_make(const char *backend, const char *path, bool mux,
		       const char *signal)
{
	size_t n = strlen(backend) + (path ? strlen(path) : 0) + 32;
	char *s = text_new(n);

	snprintf(s, n, "%s%s%s%s%s%s", mux ? "mon:" : "", backend,
		 path ? ":" : "", path ? path : "", signal ? ",signal=" : "",
		 signal ? signal : "");
	return s;
}

static enum options_result chardev_add(struct options *o, const char *name,
				       const char *id, char *spec)
{
	if (!id)
		return option_fail(o, name, "id= is missing");
	if (o->n_chardevs == MAX_CHARDEVS)
		return option_fail(o, name, "more than %d", MAX_CHARDEVS);
	if (!spec_check(o, name, spec))
		return OPTIONS_ERROR;
	o->chardev[o->n_chardevs++] = (struct named_chardev){ id, spec };
	return OPTIONS_RUN;
}

enum options_result opt_chardev(struct options *o, const char *name,
				const char *arg)
{
	static const char *const keys[] = { "id", "path", "mux", "signal" };
	const char *id = NULL, *path = NULL, *signal = NULL;
	char *list = text_keep(arg), *key, *value, *backend;
	bool mux = false, flag;

	if (!kv_next(&list, &backend, &value) || value)
		return option_fail(o, name, "begins with a backend: stdio, file,"
				   " null");
	while (kv_next(&list, &key, &value)) {
		value = value ? value : "on";
		if (!strcmp(key, "id"))
			id = value;
		else if (!strcmp(key, "path"))
			path = value;
		else if (!strcmp(key, "mux") && parse_on_off(value, &mux))
			continue;
		else if (!strcmp(key, "signal") && parse_on_off(value, &flag))
			signal = flag ? "on" : "off";
		else
			return option_unknown(o, name, "property", key, keys,
					      ARRAY_SIZE(keys), sizeof(*keys));
	}
	if (!strcmp(backend, "file") && !path)
		return option_fail(o, name, "file needs path=");
	return chardev_add(o, name, id, spec_make(backend, path, mux, signal));
}

/* "chardev:ID" to what ID is. */
static const char *chardev_resolve(struct options *o, const char *spec)
{
	if (!spec || strncmp(spec, "chardev:", 8))
		return spec;
	for (int i = 0; i < o->n_chardevs; i++)
		if (!strcmp(o->chardev[i].id, spec + 8))
			return o->chardev[i].spec;
	option_fail(o, "chardev", "no -chardev has id=%.60s", spec + 8);
	return NULL;
}

static enum options_result resolve(struct options *o, const char **spec)
{
	if (!*spec)
		return OPTIONS_RUN;
	*spec = chardev_resolve(o, *spec);
	return *spec ? OPTIONS_RUN : OPTIONS_ERROR;
}

static bool uses_stdio(const char *spec)
{
	return spec && strstr(spec, "stdio") && strncmp(spec, "file:", 5);
}

/* Without -serial: the console, as there is no screen; but upstream's
 * -display none shows nothing, and stdio may be somebody else's. */
static const char *default_serial(const struct options *o)
{
	if (o->nodefaults)
		return NULL;
	if (uses_stdio(machine_config.debugcon) || uses_stdio(machine_config.monitor))
		return "null";
	if (o->nographic)
		return "mon:stdio";
	return o->display_none ? "null" : "stdio";
}

enum options_result serials_finish(struct options *o)
{
	for (int i = 0; i < MAX_SERIAL; i++)
		if (resolve(o, &machine_config.serial[i]))
			return OPTIONS_ERROR;
	if (resolve(o, &machine_config.debugcon))
		return OPTIONS_ERROR;
	if (!o->n_serials)
		machine_config.serial[0] = default_serial(o);
	return OPTIONS_RUN;
}

/* -- -device -------------------------------------------------------------------------- */

static enum options_result set_port(struct options *o, const char *name,
				    const char *key, const char *value,
				    u64 max, u16 *port)
{
	u64 v;

	if (!value || !parse_u64(value, &v) || v > max)
		return option_fail(o, name, "%s=%.60s: not a number up to %#llx",
				   key, value ? value : "",
				   (unsigned long long)max);
	*port = (u16)v;
	return OPTIONS_RUN;
}

static enum options_result debug_exit(struct options *o, const char *name,
				      char *list)
{
	static const char *const keys[] = { "iobase", "iosize", "id" };
	struct machine_config *m = &machine_config;
	enum options_result r = OPTIONS_RUN;
	char *key, *value;

	m->debug_exit = true;
	m->debug_exit_iobase = 0x501;            /* upstream's defaults      */
	m->debug_exit_iosize = 2;
	while (!r && kv_next(&list, &key, &value))
		if (!strcmp(key, "iobase"))
			r = set_port(o, name, key, value, 0xffff,
				     &m->debug_exit_iobase);
		else if (!strcmp(key, "iosize"))
			r = set_port(o, name, key, value, 0x100,
				     &m->debug_exit_iosize);
		else if (strcmp(key, "id"))
			r = option_unknown(o, name, "isa-debug-exit property",
					   key, keys, ARRAY_SIZE(keys),
					   sizeof(*keys));
	if (!r && (!m->debug_exit_iosize ||
		   m->debug_exit_iobase + m->debug_exit_iosize > 0x10000))
		r = option_fail(o, name, "isa-debug-exit: no such ports");
	return r;
}

static char *chardev_spec(const char *id)
{
	size_t n = strlen(id) + sizeof("chardev:");
	char *s = text_new(n);

	snprintf(s, n, "chardev:%s", id);
	return s;
}

static enum options_result debugcon(struct options *o, const char *name,
				    char *list)
{
	static const char *const keys[] = { "iobase", "chardev", "id" };
	enum options_result r = OPTIONS_RUN;
	char *key, *value;

	while (!r && kv_next(&list, &key, &value))
		if (!strcmp(key, "iobase"))
			r = set_port(o, name, key, value, 0xffff,
				     &machine_config.debugcon_iobase);
		else if (!strcmp(key, "chardev") && value)
			machine_config.debugcon = chardev_spec(value);
		else if (strcmp(key, "id"))
			r = option_unknown(o, name, "isa-debugcon property",
					   key, keys, ARRAY_SIZE(keys),
					   sizeof(*keys));
	if (!r && !machine_config.debugcon)
		r = option_fail(o, name, "isa-debugcon needs chardev=");
	return r;
}

static enum options_result isa_serial(struct options *o, const char *name,
				      char *list)
{
	static const char *const keys[] = { "chardev", "id" };
	char *key, *value;

	while (kv_next(&list, &key, &value))
		if (!strcmp(key, "chardev") && value)
			return opt_serial(o, name, chardev_spec(value));
		else if (strcmp(key, "id"))
			return option_unknown(o, name, "isa-serial property",
					      key, keys, ARRAY_SIZE(keys),
					      sizeof(*keys));
	return option_fail(o, name, "isa-serial needs chardev=");
}

typedef enum options_result device_fn(struct options *o, const char *name,
				      char *list);

/* NULL: upstream has it, we have not. */
static const struct device { const char *name; device_fn *fn; const char *help; }
devices[] = {
	{ "isa-debug-exit", debug_exit, "iobase=0x501,iosize=2: a write of v "
	  "ends with code (v << 1) | 1" },
	{ "isa-debugcon", debugcon, "chardev=ID,iobase=0xe9: debug console" },
	{ "isa-serial", isa_serial, "chardev=ID: another serial port" },
	{ "pc-testdev", NULL, NULL }, { "ide-hd", NULL, NULL },
	{ "ide-cd", NULL, NULL }, { "ide-drive", NULL, NULL },
	{ "floppy", NULL, NULL }, { "ahci", NULL, NULL },
	{ "e1000", NULL, NULL }, { "rtl8139", NULL, NULL },
	{ "ne2k_isa", NULL, NULL }, { "ne2k_pci", NULL, NULL },
	{ "pcnet", NULL, NULL }, { "virtio-blk-pci", NULL, NULL },
	{ "virtio-net-pci", NULL, NULL }, { "virtio-serial-pci", NULL, NULL },
	{ "virtio-rng-pci", NULL, NULL }, { "virtio-gpu-pci", NULL, NULL },
	{ "virtio-scsi-pci", NULL, NULL }, { "virtio-9p-pci", NULL, NULL },
	{ "virtconsole", NULL, NULL }, { "scsi-hd", NULL, NULL },
	{ "nvme", NULL, NULL }, { "usb-ehci", NULL, NULL },
	{ "usb-tablet", NULL, NULL }, { "usb-kbd", NULL, NULL },
	{ "usb-mouse", NULL, NULL }, { "usb-storage", NULL, NULL },
	{ "qemu-xhci", NULL, NULL }, { "piix3-usb-uhci", NULL, NULL },
	{ "VGA", NULL, NULL }, { "isa-vga", NULL, NULL },
	{ "cirrus-vga", NULL, NULL }, { "bochs-display", NULL, NULL },
	{ "AC97", NULL, NULL }, { "sb16", NULL, NULL }, { "ES1370", NULL, NULL },
	{ "intel-hda", NULL, NULL }, { "hda-duplex", NULL, NULL },
	{ "pci-serial", NULL, NULL }, { "vmware-svga", NULL, NULL },
	{ "loader", NULL, NULL }, { "vhost-vsock-pci", NULL, NULL },
	{ "ivshmem-plain", NULL, NULL }, { "tpm-tis", NULL, NULL },
	{ "intel-iommu", NULL, NULL }, { "pvpanic", NULL, NULL },
	{ "i6300esb", NULL, NULL }, { "edu", NULL, NULL },
};

static enum options_result device_help(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].fn)
			printf("%s,%s\n", devices[i].name, devices[i].help);
	return OPTIONS_DONE;
}

enum options_result opt_device(struct options *o, const char *name,
			       const char *arg)
{
	char *list = text_keep(arg), *key, *value;

	if (!kv_next(&list, &key, &value))
		return option_fail(o, name, "which one? -device help lists them");
	if (value && !strcmp(key, "driver"))
		key = value;
	if (!strcmp(key, "help") || !strcmp(key, "?"))
		return device_help();
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		if (strcmp(devices[i].name, key))
			continue;
		if (devices[i].fn)
			return devices[i].fn(o, name, list);
		return option_fail(o, name, "%s: this device is not modelled "
				   "yet; -device help lists those that are", key);
	}
	return option_unknown(o, name, "device", key, devices,
			      ARRAY_SIZE(devices), sizeof(devices[0]));
}

/* -- -global DRIVER.PROPERTY=VALUE ------------------------------------------------------- */

enum options_result opt_global(struct options *o, const char *name,
			       const char *arg)
{
	static const char iobase[] = "isa-debugcon.iobase=";

	if (!strncmp(arg, iobase, sizeof(iobase) - 1))
		return set_port(o, name, "isa-debugcon.iobase",
				arg + sizeof(iobase) - 1, 0xffff,
				&machine_config.debugcon_iobase);
	option_ignored(o, name, arg);
	return OPTIONS_RUN;
}
