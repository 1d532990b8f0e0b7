#pragma once

/// Compiles a kernel once for each level of the x86-64 architecture; the loader picks the best that the
/// processor has. A macro, since an attribute that other compilers and processors refuse has no other switch;
/// sanitizers are left out because the choice is made before their run-time library is ready.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__OPTIMIZE__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SLUICE_CLONES [[gnu::target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")]]
#else
#define SLUICE_CLONES
#endif
