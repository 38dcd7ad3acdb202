#pragma once

// pkg-config names the directory; without pkg-config Debian and Ubuntu keep the header here.
#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

#include <sys/eventfd.h>

/// What one thread sleeps on and others write to; Swift's Glibc module lacks it.
static inline int make_wake_descriptor(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }
