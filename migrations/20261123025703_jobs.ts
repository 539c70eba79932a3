import { Migration } from '@mikro-orm/migrations'

export class Migration20261123025703_jobs extends Migration {
  override async up(): Promise<void> {
    this.addSql(`alter table "orders" add "stock_moved_at" timestamptz(6) null;`)
    this.addSql(`update "orders" set "stock_moved_at" = "created_at" where "status" = 'SETTLED';`)
    this.addSql(`create index orders_cancelled on orders (created_at) where status = 'CANCELLED';`)
  }

  override async down(): Promise<void> {
    this.addSql(`drop index "orders_cancelled";`)
    this.addSql(`alter table "orders" drop column "stock_moved_at";`)
  }
}
