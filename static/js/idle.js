/* Warns two minutes before a session ends for want of use. The words stand in staff_base.html, where gettext finds
   them; the server's clock decides, this one only reminds. Time is compared, not counted: a laptop that slept wakes
   up to the truth. */
(() => {
  const { idleSeconds, csrf, stillHere } = document.body.dataset;
  const box = document.getElementById("idle");
  if (!Number(idleSeconds) || !box?.showModal) return;
  const limit = Number(idleSeconds) * 1000;
  const warning = 120000;
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("psi-idle") : null;
  let since = Date.now();
  let state = "quiet"; // quiet, warn, failed, ended, over
  let typed = false;

  const show = (next) => {
    state = next;
    box.classList.toggle("ended", state === "ended");
    for (const part of box.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(state) || ("typed" in part.dataset && !typed);
    }
    if (state === "quiet") box.close();
    else if (!box.open) box.showModal();
  };
  const restart = () => { since = Date.now(); if (state !== "quiet") show("quiet"); };
  const used = () => { restart(); tabs?.postMessage("used"); };

  // A network that is down is no sign-out: say so, and let the person try again while there is time.
  const stay = async () => {
    try {
      const answer = await fetch(stillHere, {
        method: "POST", headers: { "X-CSRFToken": csrf }, credentials: "same-origin", redirect: "manual",
      });
      if (answer.ok) used(); else show("ended");
    } catch { show("failed"); }
  };
  // A warning put away with Escape stays away; the end is shown nevertheless.
  const check = () => {
    const left = since + limit - Date.now();
    if (left <= 0 && state !== "ended" && state !== "over") show("ended");
    else if (left > 0 && left <= warning && state === "quiet") show("warn");
  };

  box.querySelector("[data-stay]").addEventListener("click", stay);
  box.querySelector("[data-back]").addEventListener("click", () => { state = "over"; box.close(); });
  // Nothing but something typed uncovers a page whose session is over: the next person at the desk may be another.
  box.addEventListener("close", () => { if (state === "ended") box.showModal(); });
  document.addEventListener("input", () => { typed = true; });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful && state !== "over") used(); });
  window.addEventListener("pageshow", check);
  tabs?.addEventListener("message", restart);
  tabs?.postMessage("used");
  setInterval(check, 1000);
})();
