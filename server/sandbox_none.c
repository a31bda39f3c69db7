#include "sandbox.h"

const char *sandbox_about(void)
{
    return "none (workers are processes of their own, not confined further)";
}

bool sandbox_prepare(void)
{
    return true;
}

bool sandbox_worker(void)
{
    return true;
}

bool sandbox_keeper(void)
{
    return true;
}
