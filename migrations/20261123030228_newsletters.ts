import { Migration } from '@mikro-orm/migrations'

export class Migration20261123030228_newsletters extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `create table "newsletters" ("id" uuid not null, "subject" text not null, "text" text not null, "status" text not null, "sent" int not null, "failed" int not null, "total" int not null, "last_subscriber" uuid not null, "idempotency_key" text not null, "created_at" timestamptz(6) not null, primary key ("id"));`,
    )
    this.addSql(`create index newsletters_created on newsletters (created_at desc, id desc);`)
    this.addSql(`alter table "newsletters" add constraint "newsletters_idempotency" unique ("idempotency_key");`)
    this.addSql(
      `alter table "newsletters" add constraint "newsletters_status_check" check ("status" in ('SENDING', 'SENT'));`,
    )
  }

  override async down(): Promise<void> {
    this.addSql(`drop table if exists "newsletters" cascade;`)
  }
}
