/* The operating system as a test wants it, for one process: loaded before its C library (LD_PRELOAD).
 *
 * The file that FAULTS names holds two numbers of 64 bits, which the test changes while the process
 * runs: the error that writing to files answers (0: none), and seconds to add to the time of day.
 * Sockets and pipes are left alone.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *wanted;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("FAULTS");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *map = mmap(NULL, 16, PROT_READ, MAP_SHARED, file, 0);
    if (map != MAP_FAILED) wanted = map;
    close(file);
}

static int fails(int file) {
    struct stat about;
    if (!wanted || !wanted[0] || fstat(file, &about) || !S_ISREG(about.st_mode)) return 0;
    errno = (int)wanted[0];
    return 1;
}

#define NEXT(name) static __typeof__(&name) next; if (!next) next = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int file, const void *from, size_t length) {
    NEXT(write);
    return fails(file) ? -1 : next(file, from, length);
}
ssize_t pwrite(int file, const void *from, size_t length, off_t at) {
    NEXT(pwrite);
    return fails(file) ? -1 : next(file, from, length, at);
}
ssize_t pwrite64(int file, const void *from, size_t length, off64_t at) {
    NEXT(pwrite64);
    return fails(file) ? -1 : next(file, from, length, at);
}
int ftruncate(int file, off_t length) {
    NEXT(ftruncate);
    return fails(file) ? -1 : next(file, length);
}
int ftruncate64(int file, off64_t length) {
    NEXT(ftruncate64);
    return fails(file) ? -1 : next(file, length);
}
int fsync(int file) {
    NEXT(fsync);
    return fails(file) ? -1 : next(file);
}
int fdatasync(int file) {
    NEXT(fdatasync);
    return fails(file) ? -1 : next(file);
}

/* Opening: only what may not be written to at all, and only files of a store. */
static int shut(const char *path, int flags) {
    if (!wanted || wanted[0] != EROFS || (flags & O_ACCMODE) == O_RDONLY || !strstr(path, "liaison.db")) return 0;
    errno = EROFS;
    return 1;
}
#define OPEN(name)                                                \
    int name(const char *path, int flags, ...) {                  \
        NEXT(name);                                               \
        va_list rest;                                             \
        va_start(rest, flags);                                    \
        mode_t mode = va_arg(rest, mode_t);                       \
        va_end(rest);                                             \
        return shut(path, flags) ? -1 : next(path, flags, mode);  \
    }
OPEN(open)
OPEN(open64)

int clock_gettime(clockid_t clock, struct timespec *now) {
    NEXT(clock_gettime);
    int status = next(clock, now);
    if (!status && wanted && clock == CLOCK_REALTIME) now->tv_sec += wanted[1];
    return status;
}
