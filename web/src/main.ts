import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { first_language, set_language } from './i18n/index.svelte';
import { route } from './shell/route.svelte';

await set_language(first_language(route.get('lang')));
mount(App, { target: document.getElementById('app')! });
