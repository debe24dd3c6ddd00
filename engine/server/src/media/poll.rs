use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Most sockets reported by one wait; the rest is reported by the next.
const MAX_READY: usize = 512;

/// How exactly timers of a media thread fire, in nanoseconds; the kernel's default of 50 µs would add to
/// every packet's lateness.
const TIMER_SLACK_NS: libc::c_ulong = 5_000;

/// epoll: which sockets have something to read, or the time is over.
pub struct Poll {
    epoll: OwnedFd,
    ready: Vec<libc::epoll_event>,
    /// The kernel knows `epoll_pwait2` (5.11 and later), whose timeout has nanoseconds.
    fine: AtomicBool,
}

/// An eventfd: wakes a thread out of [`Poll::wait`] or [`Waker::wait`].
pub struct Waker {
    eventfd: OwnedFd,
}

impl Poll {
    pub fn new() -> io::Result<Poll> {
        // SAFETY: takes a flag, gives a descriptor or -1.
        let epoll = owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        let empty = libc::epoll_event { events: 0, u64: 0 };
        Ok(Poll {
            epoll,
            ready: vec![empty; MAX_READY],
            fine: AtomicBool::new(true),
        })
    }

    /// Reports `token` as long as `socket` has something to read. Closing the socket ends it.
    pub fn add(&self, socket: RawFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN as u32,
            u64: token,
        };
        // SAFETY: both descriptors are open and `event` lives through the call.
        let done = unsafe {
            libc::epoll_ctl(
                self.epoll.as_raw_fd(),
                libc::EPOLL_CTL_ADD,
                socket,
                &mut event,
            )
        };
        if done == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    /// Waits until something can be read, at most `timeout`; says how many [`Poll::token`]s there are.
    pub fn wait(&mut self, timeout: Duration) -> usize {
        let capacity = self.ready.len() as libc::c_int;
        let ready = self.ready.as_mut_ptr();
        let count = if self.fine.load(Ordering::Relaxed) {
            let timeout = timespec(timeout);
            // SAFETY: `ready` has room for `capacity` events, `timeout` lives through the call, no signal mask.
            let count = unsafe {
                libc::syscall(
                    libc::SYS_epoll_pwait2,
                    self.epoll.as_raw_fd(),
                    ready,
                    capacity,
                    &raw const timeout,
                    std::ptr::null::<libc::sigset_t>(),
                    0usize,
                )
            };
            if count < 0 && io::Error::last_os_error().raw_os_error() == Some(libc::ENOSYS) {
                self.fine.store(false, Ordering::Relaxed);
                return 0;
            }
            count
        } else {
            // Rounded up, so that an idle thread does not spin through the last millisecond.
            let millis = timeout.as_micros().div_ceil(1_000).min(1_000) as libc::c_int;
            // SAFETY: `ready` has room for `capacity` events.
            i64::from(unsafe { libc::epoll_wait(self.epoll.as_raw_fd(), ready, capacity, millis) })
        };
        // An error is an interruption by a signal: nothing is ready.
        usize::try_from(count).unwrap_or(0)
    }

    /// The token at `index` of the last wait.
    pub fn token(&self, index: usize) -> u64 {
        self.ready[index].u64
    }
}

impl Waker {
    pub fn new() -> io::Result<Waker> {
        // SAFETY: takes numbers, gives a descriptor or -1.
        let eventfd = owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        Ok(Waker { eventfd })
    }

    pub fn wake(&self) {
        let one = 1u64.to_ne_bytes();
        // SAFETY: eight bytes are written from `one`. A full counter refuses, and then it wakes already.
        unsafe { libc::write(self.eventfd.as_raw_fd(), one.as_ptr().cast(), one.len()) };
    }

    pub fn clear(&self) {
        let mut count = [0u8; 8];
        // SAFETY: at most eight bytes are read into `count`; an empty counter refuses.
        unsafe {
            libc::read(
                self.eventfd.as_raw_fd(),
                count.as_mut_ptr().cast(),
                count.len(),
            )
        };
    }

    pub fn wait(&self, timeout: Duration) {
        let mut watched = libc::pollfd {
            fd: self.eventfd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let millis = timeout.as_millis().clamp(1, 60_000) as libc::c_int;
        // SAFETY: one entry, which lives through the call.
        unsafe { libc::poll(&mut watched, 1, millis) };
    }

    pub fn descriptor(&self) -> RawFd {
        self.eventfd.as_raw_fd()
    }
}

/// Tries to give the calling thread exact timers and this niceness. Whether the niceness was allowed.
pub fn prefer_this_thread(nice: i32) -> bool {
    // SAFETY: both calls take numbers only and concern the calling thread.
    unsafe {
        libc::prctl(libc::PR_SET_TIMERSLACK, TIMER_SLACK_NS);
        libc::setpriority(libc::PRIO_PROCESS, 0, nice) == 0
    }
}

/// Raises the soft limit of open files to the hard one. If that is refused, opening sockets will say so.
pub fn raise_open_files() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` lives through both calls.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 && limit.rlim_cur < limit.rlim_max
        {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

fn owned(descriptor: RawFd) -> io::Result<OwnedFd> {
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for us; nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn timespec(duration: Duration) -> libc::timespec {
    libc::timespec {
        tv_sec: duration.as_secs() as libc::time_t,
        tv_nsec: duration.subsec_nanos() as libc::c_long,
    }
}
