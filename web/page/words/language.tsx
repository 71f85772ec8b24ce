import { createContext, type ReactNode, useContext, useLayoutEffect, useState } from "react";
import type { Store } from "../login/store.js";
import { ar } from "./ar.js";
import { en } from "./en.js";
import type { Words } from "./words.js";

const LANGUAGES: readonly Words[] = [en, ar];
const STORAGE_KEY = "countersign-language";

interface Language {
  readonly words: Words;
  readonly choose: (locale: string) => void;
}

const LanguageContext = createContext<Language>({ words: en, choose: () => undefined });

export function useWords(): Words {
  return useContext(LanguageContext).words;
}

/** Provides the words in the language that was chosen before, or else in the browser's first language that exists here. */
export function LanguageProvider({ store, children }: { readonly store: Store; readonly children: ReactNode }) {
  const [words, setWords] = useState(() => {
    const wanted = [store.get(STORAGE_KEY) ?? "", ...navigator.languages];
    return wanted.map(languageOf).find((found) => found !== undefined) ?? en;
  });
  useLayoutEffect(() => {
    document.documentElement.lang = words.locale;
    document.documentElement.dir = words.direction;
  }, [words]);

  const choose = (locale: string) => {
    store.set(STORAGE_KEY, locale);
    setWords(languageOf(locale) ?? en);
  };
  return <LanguageContext.Provider value={{ words, choose }}>{children}</LanguageContext.Provider>;
}

/** Each language is listed under its own name, which its speakers can read. */
export function LanguageSwitch() {
  const { words, choose } = useContext(LanguageContext);
  return (
    <nav className="languages" aria-label={words.chooseLanguage}>
      {LANGUAGES.map(({ locale, name, direction }) => (
        <button
          key={locale}
          type="button"
          className="plain"
          lang={locale}
          dir={direction}
          aria-pressed={locale === words.locale}
          onClick={() => choose(locale)}
        >
          {name}
        </button>
      ))}
    </nav>
  );
}

function languageOf(tag: string): Words | undefined {
  return LANGUAGES.find(({ locale }) => tag.toLowerCase().split("-", 1)[0] === locale);
}
