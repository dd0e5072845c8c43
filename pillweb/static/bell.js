// Reminds at the times of the plan while this page is open, connection or none.

const LOOK_MS = 20000;
const RENEW_MS = 30 * 60000;
const LATEST_MS = 10 * 60000;

const moments = async (base) => {
  const answer = await fetch(`${base}/moments`).catch(() => null);
  return answer?.ok && !answer.redirected ? answer.json() : [];
};

export const listen = async (kit) => {
  let plan = await moments(kit.base);
  let readAt = Date.now();
  // Also what was due just before: the page may be loaded anew, and none rings twice.
  const isDue = ({ at }) => at <= Date.now() && Date.now() < at + LATEST_MS;
  setInterval(async () => {
    const due = plan.some(isDue);
    if (!due && Date.now() - readAt < RENEW_MS) return;
    // Somebody may have recorded it, or changed the plan.
    plan = await moments(kit.base);
    readAt = Date.now();
    for (const one of plan.filter(isDue)) {
      kit.tell({ do: "ring", url: `${kit.base}/today`, ...one });
    }
  }, LOOK_MS);
};

export const bell = async (kit, button) => {
  const granted = (await Notification.requestPermission()) === "granted";
  kit.say(granted ? "rings" : "silent");
  button.remove();
  if (granted) listen(kit);
};
