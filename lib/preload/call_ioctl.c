/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ioctl()'s third argument is.
 *
 * Most requests say it themselves: their numbers hold the size of a structure and who writes it. Older ones are only numbers, and a few say
 * something else than what they do; these are in a table. It is short and looked through front to back, as a trap costs far more. What
 * a request with a structure writes need not be all of it, so only what has changed goes back.
 *
 * Requests of single drivers that are only numbers, and structures with pointers in them, are not known here.
 */
#include "preload/call_ioctl.h"

#include <asm/ioctls.h>
#include <linux/fs.h>
#include <linux/hdreg.h>
#include <linux/if_tun.h>
#include <linux/ioctl.h>
#include <linux/kd.h>
#include <linux/loop.h>
#include <linux/perf_event.h>
#include <linux/sockios.h>
#include <linux/vt.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <stddef.h>
#include <sys/time.h>
#include <time.h>

#include "preload/call_shape.h"

/* The kernel's struct termios and struct termio, which the C library's differ from. */
#define SIZE_TERMIOS 36UL
#define SIZE_TERMIO 18UL
#define SIZE_TERMIOX 16UL
#define SIZE_WINDOW 8UL
#define SIZE_SERIAL 72UL       /* struct serial_struct */
#define SIZE_RS485 32UL        /* struct serial_rs485 */
#define SIZE_SERIAL_COUNT 80UL /* struct serial_icounter_struct */
#define SIZE_CONSOLE 16UL      /* TIOCLINUX: a number of a function, and what it takes or gives */

/* Sockets' requests are of this type, and take a struct ifreq unless they are in the table. */
#define TYPE_SOCKET 0x89U

struct request {
	uint32_t request;
	struct kmem_call_arg arg;
};

static const struct request requests[] = {
	/* Terminals and serial lines. */
	{TCGETS, OUT_SIZE(SIZE_TERMIOS)},
	{TCSETS, IN_SIZE(SIZE_TERMIOS)},
	{TCSETSW, IN_SIZE(SIZE_TERMIOS)},
	{TCSETSF, IN_SIZE(SIZE_TERMIOS)},
	{TCGETA, OUT_SIZE(SIZE_TERMIO)},
	{TCSETA, IN_SIZE(SIZE_TERMIO)},
	{TCSETAW, IN_SIZE(SIZE_TERMIO)},
	{TCSETAF, IN_SIZE(SIZE_TERMIO)},
	{TCGETX, OUT_SIZE(SIZE_TERMIOX)},
	{TCSETX, IN_SIZE(SIZE_TERMIOX)},
	{TCSETXF, IN_SIZE(SIZE_TERMIOX)},
	{TCSETXW, IN_SIZE(SIZE_TERMIOX)},
	{TIOCGLCKTRMIOS, OUT_SIZE(SIZE_TERMIOS)},
	{TIOCSLCKTRMIOS, IN_SIZE(SIZE_TERMIOS)},
	{TIOCGPGRP, OUT(int)},
	{TIOCSPGRP, IN(int)},
	{TIOCGSID, OUT(int)},
	{TIOCOUTQ, OUT(int)},
	{TIOCSTI, IN(char)},
	{TIOCGWINSZ, OUT_SIZE(SIZE_WINDOW)},
	{TIOCSWINSZ, IN_SIZE(SIZE_WINDOW)},
	{TIOCMGET, OUT(int)},
	{TIOCMBIS, IN(int)},
	{TIOCMBIC, IN(int)},
	{TIOCMSET, IN(int)},
	{TIOCGSOFTCAR, OUT(int)},
	{TIOCSSOFTCAR, IN(int)},
	{FIONREAD, OUT(int)},
	{TIOCLINUX, MAYBE_SIZE(SIZE_CONSOLE)},
	{TIOCGSERIAL, OUT_SIZE(SIZE_SERIAL)},
	{TIOCSSERIAL, IN_SIZE(SIZE_SERIAL)},
	{TIOCPKT, IN(int)},
	{TIOCGETD, OUT(int)},
	{TIOCSETD, IN(int)},
	{TIOCGRS485, OUT_SIZE(SIZE_RS485)},
	{TIOCSRS485, INOUT_SIZE(SIZE_RS485)},
	{TIOCSERGETLSR, OUT(int)},
	{TIOCGICOUNT, OUT_SIZE(SIZE_SERIAL_COUNT)},

	/* Any file. */
	{FIONBIO, IN(int)},
	{FIOASYNC, IN(int)},
	{FIOQSIZE, OUT(loff_t)},
	{FIBMAP, INOUT(int)},
	{FIGETBSZ, OUT(int)},

	/* Disks. */
	{BLKROSET, IN(int)},
	{BLKROGET, OUT(int)},
	{BLKGETSIZE, OUT(long)},
	{BLKRAGET, OUT(long)},
	{BLKFRAGET, OUT(long)},
	{BLKSECTGET, OUT(unsigned short)},
	{BLKSSZGET, OUT(int)},
	{BLKBSZGET, OUT(int)},
	{BLKBSZSET, IN(int)},
	{BLKDISCARD, IN(uint64_t[2])},
	{BLKIOMIN, OUT(int)},
	{BLKIOOPT, OUT(int)},
	{BLKALIGNOFF, OUT(int)},
	{BLKPBSZGET, OUT(int)},
	{BLKDISCARDZEROES, OUT(int)},
	{BLKSECDISCARD, IN(uint64_t[2])},
	{BLKROTATIONAL, OUT(unsigned short)},
	{BLKZEROOUT, IN(uint64_t[2])},
	{HDIO_GETGEO, OUT(struct hd_geometry)},
	{LOOP_SET_STATUS, IN(struct loop_info)},
	{LOOP_GET_STATUS, OUT(struct loop_info)},
	{LOOP_SET_STATUS64, IN(struct loop_info64)},
	{LOOP_GET_STATUS64, OUT(struct loop_info64)},
	{LOOP_CONFIGURE, IN(struct loop_config)},

	/* Consoles. */
	{KDGKBTYPE, OUT(char)},
	{KDGETMODE, OUT(int)},
	{KDGKBMODE, OUT(int)},
	{KDGETLED, OUT(char)},
	{VT_OPENQRY, OUT(int)},
	{VT_GETMODE, OUT(struct vt_mode)},
	{VT_SETMODE, IN(struct vt_mode)},
	{VT_GETSTATE, OUT(struct vt_stat)},

	/* Sockets, and interfaces of the network. */
	{FIOSETOWN, IN(int)},
	{SIOCSPGRP, IN(int)},
	{FIOGETOWN, OUT(int)},
	{SIOCGPGRP, OUT(int)},
	{SIOCATMARK, OUT(int)},
	{SIOCGSTAMP_OLD, OUT(struct timeval)},
	{SIOCGSTAMPNS_OLD, OUT(struct timespec)},
	{SIOCADDRT, IN(struct rtentry)},
	{SIOCDELRT, IN(struct rtentry)},
	{SIOCDARP, IN(struct arpreq)},
	{SIOCGARP, INOUT(struct arpreq)},
	{SIOCSARP, IN(struct arpreq)},
	{SIOCGIFCONF, IFCONF},

	/* Numbers that say another size than they take. */
	{TUNSETIFF, MAYBE(struct ifreq)},
	{TUNGETIFF, OUT(struct ifreq)},
	{TUNATTACHFILTER, FPROG},
	{PERF_EVENT_IOC_SET_FILTER, PATH},
};

/* By the encoding of the number. */
static struct kmem_call_arg encoded(uint32_t request)
{
	struct kmem_call_arg arg = MAYBE_SIZE(_IOC_SIZE(request));

	if (_IOC_TYPE(request) == TYPE_SOCKET && _IOC_SIZE(request) == 0) {
		arg.unit = sizeof(struct ifreq);
		return arg;
	}
	if (_IOC_DIR(request) == _IOC_NONE || _IOC_SIZE(request) == 0) {
		arg.shape = KMEM_SHAPE_VALUE;
	} else if (_IOC_DIR(request) == _IOC_WRITE) {
		arg.direction = KMEM_CALL_IN;
	}
	return arg;
}

struct kmem_call_arg kmem_call_ioctl_arg(uint32_t request)
{
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].request == request) {
			return requests[i].arg;
		}
	}
	return encoded(request);
}
