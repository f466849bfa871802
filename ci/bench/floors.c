/*
 * What this machine charges whoever does nothing else: a system call, a write to nowhere, a loopback round trip of 100
 * bytes between two cores. Prints JSON.
 *
 *   floors CORE-A CORE-B
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CALLS 1000000
#define TRIPS 20000
#define WARM_TRIPS 1000
#define BYTES 100

static void die(const char *what) {
  perror(what);
  exit(1);
}

static double now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void pin(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) die("sched_setaffinity");
}

static double syscall_ns(void) {
  double began = now_ns();
  for (int i = 0; i < CALLS; i++) syscall(SYS_getppid);
  return (now_ns() - began) / CALLS;
}

static double write_ns(void) {
  char bytes[BYTES] = {0};
  int fd = open("/dev/null", O_WRONLY);
  if (fd < 0) die("/dev/null");
  double began = now_ns();
  for (int i = 0; i < CALLS; i++)
    if (write(fd, bytes, sizeof bytes) < 0) die("write");
  double each = (now_ns() - began) / CALLS;
  close(fd);
  return each;
}

static void whole(int fd, char *bytes, int sending) {
  for (size_t done = 0; done < BYTES;) {
    ssize_t moved = sending ? send(fd, bytes + done, BYTES - done, MSG_NOSIGNAL) : recv(fd, bytes + done, BYTES - done, 0);
    if (moved <= 0) exit(sending ? 1 : 0);
    done += (size_t)moved;
  }
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void echo(int listener, int core) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin(core);
  char bytes[BYTES];
  int on = 1, fd = accept(listener, NULL, NULL);
  if (fd < 0) die("accept");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (;;) {
    whole(fd, bytes, 0);
    whole(fd, bytes, 1);
  }
}

static void round_trips(int core_b, double *trips) {
  int listener = socket(AF_INET, SOCK_STREAM, 0), fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (listener < 0 || fd < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1) != 0 ||
      getsockname(listener, (struct sockaddr *)&address, &size) != 0)
    die("listen");
  pid_t child = fork();
  if (child == 0) {
    close(fd);
    echo(listener, core_b);
  }
  if (connect(fd, (struct sockaddr *)&address, size) != 0) die("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  char bytes[BYTES] = {0};
  for (int i = -WARM_TRIPS; i < TRIPS; i++) {
    double began = now_ns();
    whole(fd, bytes, 1);
    whole(fd, bytes, 0);
    if (i >= 0) trips[i] = (now_ns() - began) / 1000;
  }
  close(fd);
  waitpid(child, NULL, 0);
  qsort(trips, TRIPS, sizeof *trips, by_value);
}

int main(int argc, char **argv) {
  if (argc != 3) return 3;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  pin(atoi(argv[1]));
  static double trips[TRIPS];
  double call = syscall_ns(), null = write_ns();
  round_trips(atoi(argv[2]), trips);
  printf("{\"syscallNs\":%.1f,\"writeNullNs\":%.1f,\"loopbackP50Us\":%.2f,\"loopbackP99Us\":%.2f}\n", call, null,
         trips[TRIPS / 2], trips[TRIPS * 99 / 100]);
  return 0;
}
