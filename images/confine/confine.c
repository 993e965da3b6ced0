/*
 * confine <folder>... -- <program> [<argument>...]
 *
 * Becomes the program, which from then on can make, change and remove files only below the folders,
 * and can neither signal a program nor join an abstract socket that it did not start itself. Landlock
 * enforces it, so it holds for all that the program starts, and nobody can take it back.
 *
 * As much as the kernel knows is enforced: where there is no Landlock, nothing is (what a user may
 * not do without it, he may not do here either). Anything else that goes wrong ends this with 126.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own header may be older than the kernel (include/uapi/linux/landlock.h of 6.12). */
#define MAY_REFER (1ULL << 13)
#define MAY_TRUNCATE (1ULL << 14)
#define SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)
#define SCOPE_SIGNAL (1ULL << 1)

struct ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scoped;
};

#define MAY_CHANGE_A_FILE LANDLOCK_ACCESS_FS_WRITE_FILE
#define MAY_CHANGE_A_FOLDER                                                                   \
  (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                           \
   LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | \
   LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |                              \
   LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

static int failed(const char *what) {
  fprintf(stderr, "confine: %s: %s\n", what, strerror(errno));
  return 126;
}

static int allow(int rules, const char *path, uint64_t access) {
  struct stat found;
  struct landlock_path_beneath_attr beneath = {.allowed_access = access};
  beneath.parent_fd = open(path, O_PATH | O_CLOEXEC);
  if (beneath.parent_fd < 0 || fstat(beneath.parent_fd, &found) != 0) return -1;
  if (!S_ISDIR(found.st_mode)) beneath.allowed_access &= MAY_CHANGE_A_FILE | MAY_TRUNCATE;
  if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) != 0)
    return -1;
  return close(beneath.parent_fd);
}

int main(int count, char **words) {
  static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty"};
  struct ruleset wanted = {.files = MAY_CHANGE_A_FILE | MAY_CHANGE_A_FOLDER};
  long version;
  int rules, at = 1;

  while (at < count && strcmp(words[at], "--") != 0) at += 1;
  if (at + 1 >= count) {
    fprintf(stderr, "usage: confine <folder>... -- <program> [<argument>...]\n");
    return 126;
  }
  version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 0 && errno != ENOSYS && errno != EOPNOTSUPP) return failed("Landlock");
  if (version > 0) {
    if (version >= 2) wanted.files |= MAY_REFER;
    if (version >= 3) wanted.files |= MAY_TRUNCATE;
    if (version >= 6) wanted.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL;
    rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, sizeof wanted, 0);
    if (rules < 0) return failed("rules");
    for (int each = 1; each < at; each++)
      if (allow(rules, words[each], wanted.files) != 0) return failed(words[each]);
    for (size_t each = 0; each < sizeof devices / sizeof *devices; each++)
      if (allow(rules, devices[each], wanted.files) != 0) return failed(devices[each]);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("no new privileges");
    if (syscall(SYS_landlock_restrict_self, rules, 0) != 0) return failed("restrict");
    close(rules);
  }
  execvp(words[at + 1], words + at + 1);
  return failed(words[at + 1]);
}
