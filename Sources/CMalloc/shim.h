#pragma once
// Not part of Swift's Glibc.
#include <malloc.h>
