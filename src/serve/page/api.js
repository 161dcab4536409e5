// The server's API: one function an endpoint. Failures are `ApiError`s with a sentence.

const RETRY_MS = 1000;
const BUSY_RETRIES = 4;
const BUSY_MS = 250;

export class ApiError extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

// Tells 'lost' when the server can't be reached, and 'back' when it can be again.
export const connection = new EventTarget();
let lost = false;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function waitForServer() {
  for (;;) {
    await pause(RETRY_MS);
    try {
      if ((await fetch('/healthz', { cache: 'no-store' })).ok) break;
    } catch {
      // Still away.
    }
  }
  lost = false;
  connection.dispatchEvent(new Event('back'));
}

function connectionLost() {
  if (lost) return;
  lost = true;
  connection.dispatchEvent(new Event('lost'));
  waitForServer();
}

async function request(path, options) {
  for (let tries = 0; ; tries++) {
    let response;
    try {
      response = await fetch(path, options);
    } catch {
      connectionLost();
      throw new ApiError('The server can’t be reached.', 0);
    }
    if (response.status !== 503 || tries === BUSY_RETRIES) return response;
    await pause(BUSY_MS);
  }
}

async function refusal(response) {
  const body = await response.json().catch(() => null);
  return new ApiError(body?.error ?? `The server answered ${response.status}.`, response.status);
}

async function getJson(path) {
  const response = await request(path);
  if (!response.ok) throw await refusal(response);
  return response.json();
}

// For those who suspect that the server is away.
export const checkConnection = () => request('/healthz').catch(() => {});

const runPath = (name) => `/api/runs/${encodeURIComponent(name)}`;

export const getNetworks = () => getJson('/api/networks');
export const getRuns = async () => (await getJson('/api/runs')).runs;
export const getRun = (name) => getJson(runPath(name));
export const runEvents = (name) => new EventSource(`${runPath(name)}/events`);

export async function getChart(name, kind, other) {
  const query = new URLSearchParams({ kind, ...(other && { with: other }) });
  const response = await request(`${runPath(name)}/chart.svg?${query}`);
  if (!response.ok) throw await refusal(response);
  return response.text();
}

// Answers what `many` and `details` answer, for every network: a list of digits, and their text.
// In a form the server learns the file's name, and names it in its sentence when it can't be read.
export async function predict(blob, name, network) {
  const query = `checkpoint=${encodeURIComponent(network.name)}${network.digits ? '&many' : ''}&details`;
  const body = new FormData();
  body.append('picture', blob, name);
  const response = await request(`/api/predict?${query}`, { method: 'POST', body });
  if (!response.ok) throw await refusal(response);
  const [answer] = await response.json();
  if (answer.error) throw new ApiError(answer.error, 422);
  if (answer.digits) return answer;
  return { text: answer.class ?? String(answer.digit), digits: [answer] };
}

export async function explain(pixels, network) {
  const response = await request(`/api/explain?checkpoint=${encodeURIComponent(network.name)}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ pixels }),
  });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

export async function correct(png, label) {
  const response = await request(`/api/corrections?label=${label}`, { method: 'POST', body: png });
  if (!response.ok) throw await refusal(response);
  return response.json();
}
