// A picture from the camera, where the browser allows one (https, or this machine itself).

import { byId } from './dom.js';
import { addPictures } from './pictures.js';

const dialog = byId('camera');
const video = byId('viewfinder');
const failure = byId('camera-error');

async function open() {
  failure.textContent = '';
  dialog.showModal();
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    // It may have been closed while the browser asked for permission.
    if (!dialog.open) stop(stream);
    else video.srcObject = stream;
  } catch (error) {
    failure.textContent = error.name === 'NotAllowedError' ? 'The browser doesn’t allow the camera.' : 'No camera was found.';
  }
}

function stop(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function take() {
  if (!video.videoWidth) return;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  canvas.getContext('2d').drawImage(video, 0, 0);
  dialog.close();
  canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 }).then((photo) => {
    addPictures([new File([photo], 'camera.jpg', { type: photo.type })]);
  });
}

export function startCamera() {
  if (!navigator.mediaDevices?.getUserMedia) return;
  const button = byId('use-camera');
  button.hidden = false;
  button.addEventListener('click', open);
  byId('take-picture').addEventListener('click', take);
  byId('close-camera').addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', () => {
    stop(video.srcObject);
    video.srcObject = null;
  });
}
