// Runs in the head, before anything is painted, so that a chosen theme never flashes the other one.
(() => {
  try {
    const chosen = localStorage.getItem("dashboard-theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is closed to some files opened from disk; the system's preference then decides.
  }
})();
