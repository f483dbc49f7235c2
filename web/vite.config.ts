import { svelte } from '@sveltejs/vite-plugin-svelte';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { faults } from './src/i18n/faults.ts';

/** A message that one language lacks fails the build. */
function complete_messages(): Plugin {
  return {
    name: 'complete-messages',
    async buildStart() {
      const { en } = await import('./src/i18n/en.ts');
      const { zh } = await import('./src/i18n/zh.ts');
      const found = faults(en, zh);
      if (found.length > 0) this.error(`Messages differ between the languages:\n${found.join('\n')}`);
    },
  };
}

export default defineConfig(({ mode }) => ({
  plugins: [complete_messages(), svelte()],
  base: '/',
  build: { target: 'es2022', assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  resolve: mode === 'test' ? { conditions: ['browser'] } : {},
  test: { environment: 'happy-dom', include: ['src/**/*.test.ts'] },
  server: {
    proxy: {
      '/v1': api_target(),
      '/v2': api_target(),
      '/openapi.json': api_target(),
      '/metrics': api_target(),
    },
  },
}));

/** Where `npm run dev` finds the server. */
function api_target() {
  return process.env.MLPD_URL ?? 'http://127.0.0.1:8080';
}
