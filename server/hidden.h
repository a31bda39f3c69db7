/* SPDX-License-Identifier: ISC */
/* Memory that is not copied to forked processes: what the supervisor knows of its clients is
 * no business of their workers. */
#ifndef HIDDEN_H
#define HIDDEN_H

#include <stddef.h>
#include <sys/mman.h>

/* All zero, and never given back; NULL, with errno. */
static inline void *hidden_reserve(size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (at == MAP_FAILED)
        return NULL;
    if (madvise(at, size, MADV_DONTFORK) != 0)
        (void)0; /* refused by an odd system: then it is copied, as all other memory */
    return at;
}

#endif
