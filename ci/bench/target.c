/*
 * The server that load tools are measured against: HTTP/1.1 with keep-alive on one thread, epoll, one fixed answer of
 * 100 bytes to whatever is asked. It reads requests without bodies only and does as little as a server can, so that
 * the tool on the other core is what limits.
 *
 *   target STATS-FILE      listens on a free port of 127.0.0.1 and prints it
 *
 * STATS-FILE is a mapped struct stats: whoever reads the file reads the counters of that moment. Ends with its parent.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 16384
#define REQUEST_MAX 4096
#define EVENTS 128
#define PIPELINED_MAX 64

struct stats {
  uint64_t requests;
  uint64_t accepted;
  uint64_t open;
};

struct connection {
  size_t length;
  char bytes[REQUEST_MAX];
};

static struct connection *connections[CONNECTIONS_MAX];
static volatile struct stats *stats;
static char answers[PIPELINED_MAX * 512];
static size_t answer_length;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static void make_answers(void) {
  char body[101];
  memset(body, 'x', 100);
  body[100] = '\0';
  char one[512];
  answer_length = (size_t)snprintf(one, sizeof one,
                                   "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n%s", body);
  for (int i = 0; i < PIPELINED_MAX; i++) memcpy(answers + i * answer_length, one, answer_length);
}

static volatile struct stats *map_stats(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(struct stats)) != 0) die(path);
  void *mapped = mmap(NULL, sizeof(struct stats), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) die("mmap");
  close(fd);
  return mapped;
}

static int listen_on_loopback(void) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = 0, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, 1024) != 0) die("listen");
  if (getsockname(fd, (struct sockaddr *)&address, &size) != 0) die("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return fd;
}

static void drop(int fd) {
  close(fd);
  free(connections[fd]);
  connections[fd] = NULL;
  stats->open--;
}

static void accept_all(int epoll, int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    if (fd >= CONNECTIONS_MAX) {
      close(fd);
      continue;
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    connections[fd] = malloc(sizeof(struct connection));
    if (connections[fd] == NULL) die("malloc");
    connections[fd]->length = 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) die("epoll_ctl");
    stats->accepted++;
    stats->open++;
  }
}

static void serve(int fd) {
  struct connection *c = connections[fd];
  ssize_t got = recv(fd, c->bytes + c->length, sizeof c->bytes - c->length, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return drop(fd);
  c->length += (size_t)got;
  size_t done = 0;
  unsigned complete = 0;
  for (char *end; (end = memmem(c->bytes + done, c->length - done, "\r\n\r\n", 4)) != NULL; complete++)
    done = (size_t)(end - c->bytes) + 4;
  if (complete > PIPELINED_MAX) return drop(fd);
  if (done < c->length) memmove(c->bytes, c->bytes + done, c->length - done);
  c->length -= done;
  if (c->length == sizeof c->bytes) return drop(fd);
  size_t wanted = complete * answer_length;
  if (wanted > 0 && send(fd, answers, wanted, MSG_NOSIGNAL) != (ssize_t)wanted) return drop(fd);
  stats->requests += complete;
}

int main(int argc, char **argv) {
  if (argc != 2) return 3;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  stats = map_stats(argv[1]);
  make_answers();
  int listener = listen_on_loopback();
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) != 0) die("epoll");
  struct epoll_event events[EVENTS];
  for (;;) {
    int ready = epoll_wait(epoll, events, EVENTS, -1);
    if (ready < 0 && errno != EINTR) die("epoll_wait");
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == listener)
        accept_all(epoll, listener);
      else
        serve(events[i].data.fd);
    }
  }
}
