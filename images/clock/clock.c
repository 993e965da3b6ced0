/*
 * The sandbox's clock. Loaded into every program of the sandbox (/etc/ld.so.preload), it shifts the
 * wall clock by the offset that /run/cloche/clock holds, and times of files with it, in both
 * directions: what a program reads is shifted, what it sets (utimensat) or waits for (an absolute
 * time of the wall clock) is shifted back. Monotonic clocks and time spans stay as they are.
 *
 * Not there, the file means "no shift, ask again": servers are up before their sandbox has a task.
 * Once read it holds for the life of the program. Only the box's init can write it. A program that
 * gets around this (static, or by system calls of its own) sees the host's time; nothing rests on
 * its not knowing it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <utime.h>

#define CLOCK_FILE "/run/cloche/clock"
#define SECOND 1000000000LL
/* Absolute times before 1990 are of a monotonic clock: a condition variable does not say which. */
#define WALL_SECONDS_MIN 631152000LL

static volatile long long offset_ns;
static volatile int is_known;

typedef long (*raw_call)(long, long, long, long, long, long, long);

static long raw(long number, long a, long b, long c, long d) {
  static raw_call real;
  if (real == NULL) real = (raw_call)dlsym(RTLD_NEXT, "syscall");
  return real(number, a, b, c, d, 0, 0);
}

/* The file: nanoseconds as a decimal with its sign and a newline, which says that it is whole. */
static long long offset(void) {
  char text[32];
  int saved, fd;
  long size;
  if (is_known) return offset_ns;
  saved = errno;
  fd = (int)raw(SYS_openat, AT_FDCWD, (long)CLOCK_FILE, O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) {
    size = raw(SYS_read, fd, (long)text, sizeof text - 1, 0);
    raw(SYS_close, fd, 0, 0, 0);
    if (size > 1 && text[size - 1] == '\n') {
      text[size - 1] = 0;
      offset_ns = strtoll(text, NULL, 10);
      is_known = 1;
    }
  }
  errno = saved;
  return is_known ? offset_ns : 0;
}

static void shift(struct timespec *at, long long by) {
  long long ns = at->tv_nsec + by % SECOND;
  at->tv_sec += by / SECOND;
  if (ns < 0) { ns += SECOND; at->tv_sec -= 1; }
  if (ns >= SECOND) { ns -= SECOND; at->tv_sec += 1; }
  at->tv_nsec = ns;
}

/* The host's time for one of the sandbox's that is waited for. */
static const struct timespec *waited(const struct timespec *at, struct timespec *copy) {
  if (at == NULL || at->tv_sec < WALL_SECONDS_MIN) return at;
  *copy = *at;
  shift(copy, -offset());
  return copy;
}

#define REAL(type, name) \
  static type real; \
  if (real == NULL) real = (type)dlsym(RTLD_NEXT, name)

/* ---- reading the wall clock ---- */

static int is_wall(clockid_t clock) {
  return clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE || clock == CLOCK_TAI;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  typedef int (*call)(clockid_t, struct timespec *);
  REAL(call, "clock_gettime");
  int status = real(clock, at);
  if (status == 0 && is_wall(clock)) shift(at, offset());
  return status;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  struct timespec now;
  if (zone != NULL) {
    struct timezone *utc = zone;
    utc->tz_minuteswest = 0;
    utc->tz_dsttime = 0;
  }
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return (time_t)-1;
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}

int timespec_get(struct timespec *at, int base) {
  return base == TIME_UTC && clock_gettime(CLOCK_REALTIME, at) == 0 ? base : 0;
}

/* ---- waiting for a time of the wall clock ---- */

int clock_nanosleep(clockid_t clock, int flags, const struct timespec *at, struct timespec *left) {
  typedef int (*call)(clockid_t, int, const struct timespec *, struct timespec *);
  struct timespec copy;
  REAL(call, "clock_nanosleep");
  if ((flags & TIMER_ABSTIME) != 0 && is_wall(clock)) at = waited(at, &copy);
  return real(clock, flags, at, left);
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict at) {
  typedef int (*call)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  static call real;
  struct timespec copy;
  /* By its version: the one that dlsym finds may be of a time before condition attributes. */
  if (real == NULL) real = (call)dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (real == NULL) real = (call)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  return real(cond, mutex, waited(at, &copy));
}

int pthread_cond_clockwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           clockid_t clock, const struct timespec *restrict at) {
  typedef int (*call)(pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
  struct timespec copy;
  REAL(call, "pthread_cond_clockwait");
  return real(cond, mutex, clock, is_wall(clock) ? waited(at, &copy) : at);
}

int pthread_mutex_timedlock(pthread_mutex_t *restrict mutex, const struct timespec *restrict at) {
  typedef int (*call)(pthread_mutex_t *, const struct timespec *);
  struct timespec copy;
  REAL(call, "pthread_mutex_timedlock");
  return real(mutex, waited(at, &copy));
}

int pthread_rwlock_timedrdlock(pthread_rwlock_t *restrict lock,
                               const struct timespec *restrict at) {
  typedef int (*call)(pthread_rwlock_t *, const struct timespec *);
  struct timespec copy;
  REAL(call, "pthread_rwlock_timedrdlock");
  return real(lock, waited(at, &copy));
}

int pthread_rwlock_timedwrlock(pthread_rwlock_t *restrict lock,
                               const struct timespec *restrict at) {
  typedef int (*call)(pthread_rwlock_t *, const struct timespec *);
  struct timespec copy;
  REAL(call, "pthread_rwlock_timedwrlock");
  return real(lock, waited(at, &copy));
}

int sem_timedwait(sem_t *restrict sem, const struct timespec *restrict at) {
  typedef int (*call)(sem_t *, const struct timespec *);
  struct timespec copy;
  REAL(call, "sem_timedwait");
  return real(sem, waited(at, &copy));
}

int sem_clockwait(sem_t *restrict sem, clockid_t clock, const struct timespec *restrict at) {
  typedef int (*call)(sem_t *, clockid_t, const struct timespec *);
  struct timespec copy;
  REAL(call, "sem_clockwait");
  return real(sem, clock, is_wall(clock) ? waited(at, &copy) : at);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *at, struct itimerspec *old) {
  typedef int (*call)(int, int, const struct itimerspec *, struct itimerspec *);
  struct itimerspec copy;
  struct timespec first;
  REAL(call, "timerfd_settime");
  if ((flags & TFD_TIMER_ABSTIME) != 0 && at != NULL) {
    copy = *at;
    copy.it_value = *waited(&at->it_value, &first);
    at = &copy;
  }
  return real(fd, flags, at, old);
}

/* ---- times of files, as read ---- */

static int seen(int status, struct stat *found) {
  long long by;
  if (status != 0) return status;
  by = offset();
  shift(&found->st_atim, by);
  shift(&found->st_mtim, by);
  shift(&found->st_ctim, by);
  return status;
}

/* `struct stat64` is the same type on the 64-bit machines that Cloche runs on. */
#define STAT(name, parameters, arguments) \
  int name parameters { \
    typedef int (*call) parameters; \
    REAL(call, #name); \
    return seen(real arguments, found); \
  }

#define PATH_STAT (const char *restrict path, struct stat *restrict found)
#define FD_STAT (int fd, struct stat *found)
#define AT_STAT (int fd, const char *restrict path, struct stat *restrict found, int flags)

STAT(stat, PATH_STAT, (path, found))
STAT(lstat, PATH_STAT, (path, found))
STAT(fstat, FD_STAT, (fd, found))
STAT(fstatat, AT_STAT, (fd, path, found, flags))

/* Names that programs built before glibc 2.33, or for large files, call. */
#undef STAT
#define STAT(name, parameters, arguments) \
  int name parameters { \
    typedef int (*call) parameters; \
    REAL(call, #name); \
    return seen(real arguments, (struct stat *)found); \
  }

#define PATH_STAT64 (const char *restrict path, struct stat64 *restrict found)
#define FD_STAT64 (int fd, struct stat64 *found)
#define AT_STAT64 (int fd, const char *restrict path, struct stat64 *restrict found, int flags)

STAT(stat64, PATH_STAT64, (path, found))
STAT(lstat64, PATH_STAT64, (path, found))
STAT(fstat64, FD_STAT64, (fd, found))
STAT(fstatat64, AT_STAT64, (fd, path, found, flags))
STAT(__xstat, (int version, const char *path, struct stat *found), (version, path, found))
STAT(__lxstat, (int version, const char *path, struct stat *found), (version, path, found))
STAT(__fxstat, (int version, int fd, struct stat *found), (version, fd, found))
STAT(__fxstatat, (int version, int fd, const char *path, struct stat *found, int flags),
     (version, fd, path, found, flags))
STAT(__xstat64, (int version, const char *path, struct stat64 *found), (version, path, found))
STAT(__lxstat64, (int version, const char *path, struct stat64 *found), (version, path, found))
STAT(__fxstat64, (int version, int fd, struct stat64 *found), (version, fd, found))
STAT(__fxstatat64, (int version, int fd, const char *path, struct stat64 *found, int flags),
     (version, fd, path, found, flags))

static void shift_statx(struct statx_timestamp *at, long long by) {
  struct timespec time = {.tv_sec = at->tv_sec, .tv_nsec = at->tv_nsec};
  if (at->tv_sec == 0 && at->tv_nsec == 0) return; /* Not known to the file system. */
  shift(&time, by);
  at->tv_sec = time.tv_sec;
  at->tv_nsec = time.tv_nsec;
}

static void seen_statx(struct statx *found) {
  long long by = offset();
  shift_statx(&found->stx_atime, by);
  shift_statx(&found->stx_btime, by);
  shift_statx(&found->stx_ctime, by);
  shift_statx(&found->stx_mtime, by);
}

int statx(int fd, const char *restrict path, int flags, unsigned mask,
          struct statx *restrict found) {
  typedef int (*call)(int, const char *, int, unsigned, struct statx *);
  REAL(call, "statx");
  int status = real(fd, path, flags, mask, found);
  if (status == 0) seen_statx(found);
  return status;
}

/*
 * Some runtimes ask the kernel themselves, through `syscall`. Declared with its six arguments, as
 * the machine passes them, since what was given to a variadic function cannot be passed on.
 */
long asked_raw(long number, long a, long b, long c, long d, long e, long f) __asm__("syscall");
long asked_raw(long number, long a, long b, long c, long d, long e, long f) {
  REAL(raw_call, "syscall");
  long status = real(number, a, b, c, d, e, f);
  if (status != 0) return status;
  if (number == SYS_statx) seen_statx((struct statx *)e);
  if (number == SYS_clock_gettime && is_wall((clockid_t)a)) shift((struct timespec *)b, offset());
  return status;
}

/* ---- times of files, as set ---- */

static const struct timespec *set_times(const struct timespec *at, struct timespec copy[2]) {
  long long by = offset();
  int i;
  if (at == NULL) return NULL;
  for (i = 0; i < 2; i++) {
    copy[i] = at[i];
    if (at[i].tv_nsec != UTIME_NOW && at[i].tv_nsec != UTIME_OMIT) shift(&copy[i], -by);
  }
  return copy;
}

int utimensat(int fd, const char *path, const struct timespec at[2], int flags) {
  typedef int (*call)(int, const char *, const struct timespec *, int);
  struct timespec copy[2];
  REAL(call, "utimensat");
  return real(fd, path, set_times(at, copy), flags);
}

int futimens(int fd, const struct timespec at[2]) {
  typedef int (*call)(int, const struct timespec *);
  struct timespec copy[2];
  REAL(call, "futimens");
  return real(fd, set_times(at, copy));
}

static const struct timespec *of_microseconds(const struct timeval at[2], struct timespec both[2]) {
  int i;
  if (at == NULL) return NULL;
  for (i = 0; i < 2; i++) {
    both[i].tv_sec = at[i].tv_sec;
    both[i].tv_nsec = at[i].tv_usec * 1000;
  }
  return both;
}

int utimes(const char *path, const struct timeval at[2]) {
  struct timespec both[2];
  return utimensat(AT_FDCWD, path, of_microseconds(at, both), 0);
}

int lutimes(const char *path, const struct timeval at[2]) {
  struct timespec both[2];
  return utimensat(AT_FDCWD, path, of_microseconds(at, both), AT_SYMLINK_NOFOLLOW);
}

int futimes(int fd, const struct timeval at[2]) {
  struct timespec both[2];
  return futimens(fd, of_microseconds(at, both));
}

int futimesat(int fd, const char *path, const struct timeval at[2]) {
  struct timespec both[2];
  return utimensat(fd, path, of_microseconds(at, both), 0);
}

int utime(const char *path, const struct utimbuf *at) {
  struct timespec both[2] = {{0, 0}, {0, 0}};
  if (at == NULL) return utimensat(AT_FDCWD, path, NULL, 0);
  both[0].tv_sec = at->actime;
  both[1].tv_sec = at->modtime;
  return utimensat(AT_FDCWD, path, both, 0);
}
