/* Records what a process does to the files of one folder, in order, so that a test can rebuild what a
 * power cut would have left. Preloaded with LD_PRELOAD; knows nothing of databases.
 *
 * POWER_FOLDER   the folder whose files are watched (absolute, with `/` at its end)
 * POWER_LOG      the file to which records go
 * POWER_ACKS     a file whose writes are recorded as acknowledgements
 * POWER_FULL     while this file exists, nothing may be written: ENOSPC
 * POWER_LOCKED   if set, no file may be opened for writing: EACCES
 *
 * A record is a header of four 64-bit numbers (kind, file, offset, length) and `length` bytes.
 * Changes are recorded and made under one lock; a sync is recorded when it begins and when it has
 * succeeded, because only what was written before its beginning is certain to be covered.
 * Begin with `record`.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN = 1, WRITE, TRUNCATE, SYNC_BEGIN, SYNC_END, UNLINK, ACK, FOLDER_SYNC };
enum { FDS = 4096, ACKS = -1, FOLDER = -2 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int files[FDS]; /* what each descriptor is: 0 nothing watched, ACKS, FOLDER, or a number */
static int next_file = 1;
static int log_fd = -1;
static const char *folder, *acks, *full, *locked;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("POWER_LOG");
    folder = getenv("POWER_FOLDER");
    acks = getenv("POWER_ACKS");
    full = getenv("POWER_FULL");
    locked = getenv("POWER_LOCKED");
    if (path)
        log_fd = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The lock is held. */
static void record(uint64_t kind, int64_t file, uint64_t offset, const void *bytes, uint64_t length)
{
    uint64_t header[4] = {kind, (uint64_t)file, offset, length};
    struct iovec parts[2] = {{header, sizeof header}, {(void *)bytes, length}};
    if (log_fd >= 0 && syscall(SYS_writev, log_fd, parts, 2) != (long)(sizeof header + length))
        abort();
}

static int is_watched(const char *path)
{
    return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_folder(const char *path)
{
    size_t length = folder ? strlen(folder) : 0;
    size_t other = path ? strlen(path) : 0;
    return length > 1 && other + 1 >= length && strncmp(path, folder, length - 1) == 0 &&
           (other == length - 1 || other == length);
}

static int what_is(int fd)
{
    return fd >= 0 && fd < FDS ? files[fd] : 0;
}

static int refuses(int fd)
{
    if (what_is(fd) <= 0 || !full || syscall(SYS_faccessat, AT_FDCWD, full, F_OK) != 0)
        return 0;
    errno = ENOSPC;
    return 1;
}

static int opened(int fd, const char *path)
{
    if (fd < 0 || fd >= FDS)
        return fd;
    pthread_mutex_lock(&lock);
    if (acks && path && strcmp(path, acks) == 0)
        files[fd] = ACKS;
    else if (is_folder(path))
        files[fd] = FOLDER;
    else if (is_watched(path)) {
        /* Every opening is recorded with the path: the reader knows whether it made the file. */
        files[fd] = next_file++;
        record(OPEN, files[fd], 0, path, strlen(path));
    } else
        files[fd] = 0;
    pthread_mutex_unlock(&lock);
    return fd;
}

static int open_as(int at, const char *path, int flags, mode_t mode)
{
    if (locked && is_watched(path) && (flags & (O_WRONLY | O_RDWR | O_CREAT))) {
        errno = EACCES;
        return -1;
    }
    return opened(syscall(SYS_openat, at, path, flags, mode), path);
}

#define MODE(flags, mode)                         \
    mode_t mode = 0;                              \
    if ((flags) & (O_CREAT | O_TMPFILE)) {        \
        va_list rest;                             \
        va_start(rest, flags);                    \
        mode = va_arg(rest, mode_t);              \
        va_end(rest);                             \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_as(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_as(AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int openat(int at, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_as(at, path, flags, mode);
}

int openat64(int at, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_as(at, path, flags | O_LARGEFILE, mode);
}

int close(int fd)
{
    /* Before the descriptor is free: another thread may get it at once. */
    if (fd >= 0 && fd < FDS) {
        pthread_mutex_lock(&lock);
        files[fd] = 0;
        pthread_mutex_unlock(&lock);
    }
    return syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *bytes, size_t length, off_t offset, int at)
{
    int file = what_is(fd);
    if (refuses(fd))
        return -1;
    if (file == 0 || file == FOLDER)
        return at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
    pthread_mutex_lock(&lock);
    if (!at && file > 0)
        offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
    ssize_t written =
        at ? syscall(SYS_pwrite64, fd, bytes, length, offset) : syscall(SYS_write, fd, bytes, length);
    int reason = errno;
    if (written > 0)
        record(file == ACKS ? ACK : WRITE, file, offset, bytes, written);
    pthread_mutex_unlock(&lock);
    errno = reason;
    return written;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
    return write_at(fd, bytes, length, 0, 0);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    return write_at(fd, bytes, length, offset, 1);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t offset)
{
    return write_at(fd, bytes, length, offset, 1);
}

static int cut(int fd, off_t length)
{
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_ftruncate, fd, length);
    int reason = errno;
    if (result == 0 && what_is(fd) > 0)
        record(TRUNCATE, what_is(fd), length, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = reason;
    return result;
}

int ftruncate(int fd, off_t length)
{
    return cut(fd, length);
}

int ftruncate64(int fd, off64_t length)
{
    return cut(fd, length);
}

static int sync_as(int fd, long call)
{
    int file = what_is(fd);
    if (file > 0) {
        pthread_mutex_lock(&lock);
        record(SYNC_BEGIN, file, 0, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    int result = syscall(call, fd);
    int reason = errno;
    if (result == 0 && (file > 0 || file == FOLDER)) {
        pthread_mutex_lock(&lock);
        record(file == FOLDER ? FOLDER_SYNC : SYNC_END, file, 0, NULL, 0);
        pthread_mutex_unlock(&lock);
    }
    errno = reason;
    return result;
}

int fsync(int fd)
{
    return sync_as(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return sync_as(fd, SYS_fdatasync);
}

int unlink(const char *path)
{
    pthread_mutex_lock(&lock);
    int result = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    int reason = errno;
    if (result == 0 && is_watched(path))
        record(UNLINK, 0, 0, path, strlen(path));
    pthread_mutex_unlock(&lock);
    errno = reason;
    return result;
}

/* Nothing that is watched may change in a way that the log does not tell. */
int rename(const char *from, const char *to)
{
    if (is_watched(from) || is_watched(to))
        abort();
    return syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (what_is(fd) != 0)
        abort();
    return syscall(SYS_writev, fd, parts, count);
}
