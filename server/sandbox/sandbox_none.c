/* SPDX-License-Identifier: ISC */
/* The sandbox of a build without libseccomp: none. */
#include "sandbox.h"

const char *sandbox_about(void)
{
    return "none (built without libseccomp, or with a sanitizer)";
}

const char *sandbox_active(void)
{
    return "none: workers are processes of their own, not confined further";
}

bool sandbox_prepare(const char *data)
{
    (void)data;
    return true;
}

bool sandbox_paths(sandbox_who who)
{
    (void)who;
    return true;
}

bool sandbox_enter(sandbox_who who)
{
    (void)who;
    return true;
}
