// Which view is shown, by the part of the address after `#`. A view hears 'shown' and 'left'.

import { byId } from './dom.js';
import { openRuns } from './runs.js';

export const VIEWS = ['read', 'why', 'networks', 'runs'];
const TITLES = { read: 'read digits', why: 'why', networks: 'networks', runs: 'runs' };

let current = null;

function show() {
  const [asked, name] = location.hash.slice(1).split('/');
  // The skip link's `#main` is no view.
  const view = VIEWS.includes(asked) ? asked : (current ?? VIEWS[0]);
  if (view !== current) {
    for (const each of VIEWS) byId(`view-${each}`).hidden = each !== view;
    byId('desk').hidden = view === 'runs';
    byId('network-choice').hidden = view === 'networks';
    for (const link of document.querySelectorAll('nav a')) {
      if (link.hash === `#${view}`) link.setAttribute('aria-current', 'page');
      else link.removeAttribute('aria-current');
    }
    document.title = `mnistctl: ${TITLES[view]}`;
    if (current) byId(`view-${current}`).dispatchEvent(new Event('left'));
    current = view;
    byId(`view-${view}`).dispatchEvent(new Event('shown'));
  }
  if (view === 'runs') openRuns(name && decodeURIComponent(name));
}

export function startViews() {
  addEventListener('hashchange', show);
  show();
}
