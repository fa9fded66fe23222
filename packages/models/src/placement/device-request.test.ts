import { describe, expect, it } from 'vitest';
import { readDeviceRequest } from './device-request.ts';

describe('what is asked for', () => {
  it.each([
    [{}, { devices: 'auto' }],
    [{ device: 'cpu' }, { devices: [{ kind: 'cpu' }] }],
    [
      { device: 'auto', gpuLayers: '0' },
      { devices: 'auto', gpuLayers: 0 },
    ],
    [{ device: 'cpu,webgpu:NVIDIA L4' }, { devices: [{ kind: 'cpu' }, { kind: 'webgpu', adapter: 'NVIDIA L4' }] }],
    [
      { device: 'cpu,cpu', splitMode: 'row', threads: '3' },
      { split: 'row', threads: 3 },
    ],
    [{ deviceMemory: '2' }, { memoryBytes: 2 * 2 ** 20 }],
    [{ activations: 'int8' }, { activations: 'int8' }],
  ])('%o', (options, request) => expect(readDeviceRequest(options)).toMatchObject(request));
});

describe('refuses', () => {
  it.each([
    [{ device: 'abacus' }, 'usage-bad-device', /no device 'abacus'/],
    [{ device: 'cpu,' }, 'usage-bad-device', /no device ''/],
    [{ device: 'cpu:0' }, 'usage-bad-device', /no device 'cpu:0'/],
    [{ device: 'auto,cpu' }, 'usage-bad-device', /no device 'auto'/],
    [{ gpuLayers: 'all' }, 'usage-bad-number', /--gpu-layers .* from 0 to \d+, not 'all'/],
    [{ gpuLayers: '-1' }, 'usage-bad-number', /--gpu-layers/],
    [{ deviceMemory: '0' }, 'usage-bad-number', /--device-memory .* from 1/],
    [{ threads: '1e9' }, 'usage-bad-number', /--threads/],
    [{ activations: 'int4' }, 'usage-bad-activations', /--activations must be f32 or int8, not 'int4'/],
    [{ splitMode: 'row' }, 'usage-bad-split-mode', /--split-mode row is for several devices, not auto alone/],
    [
      { device: 'cpu', splitMode: 'row' },
      'usage-bad-split-mode',
      /--split-mode row is for several devices, not cpu alone/,
    ],
    [{ splitMode: 'tensor' }, 'usage-bad-split-mode', /--split-mode must be layer or row, not 'tensor'/],
  ])('%o', (options, code, message) =>
    expect(() => readDeviceRequest(options)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    ),
  );
});
