// One request in flight, the newest wins.

// Runs `task` one call at a time; calls that come meanwhile become one more.
export function newestWins(task) {
  let running = false;
  let waiting = false;
  return async () => {
    waiting = true;
    if (running) return;
    running = true;
    try {
      while (waiting) {
        waiting = false;
        await task();
      }
    } finally {
      running = false;
    }
  };
}
